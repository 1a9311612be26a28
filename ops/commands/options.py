"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

StackName = Annotated[
    str, typer.Option("--stack", "-s", envvar="STACK", help="Stack, as in Pulumi.<stack>.yaml.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for machines.")]
