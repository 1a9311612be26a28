"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.errors import OpsError
from ops.web import base_address

StackName = Annotated[
    str, typer.Option("--stack", "-s", envvar="STACK", help="Stack, as in Pulumi.<stack>.yaml.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for machines.")]


def address(name: str, what: str, *, variable: str | None = None) -> typer.models.OptionInfo:
    """Make the option of an address that the stack's outputs have as well."""
    option: typer.models.OptionInfo = typer.Option(
        f"--{name}",
        envvar=variable,
        metavar="URL",
        callback=_checked,
        help=f"{what}; from the stack's outputs when not given.",
    )
    return option


def _checked(param: typer.CallbackParam, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return base_address(text)
    except ValueError as error:
        named = f"--{param.name}" + (f" or {param.envvar}" if param.envvar else "")
        advice = "give http:// or https:// with a host and, if it has one, a port and a path"
        raise OpsError(f"{named} is {text!r}: {error}", advice, status=2) from error
