"""The terminal: results go to standard output, progress and problems to standard error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.errors import OpsError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

MARKS = {"ok": "[green]ok[/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]fail[/red]"}


def say(text: str) -> None:
    """Report progress."""
    err.print(text, markup=False)


def heading(text: str) -> None:
    """Start a part of long work."""
    err.print(Text(f"\n{text}", style="bold"))


def show_error(error: OpsError) -> None:
    """Say what failed and what to do."""
    err.print(Text("failed: ", style="bold red") + Text(error.message))
    if error.advice:
        err.print(Text("to do:  ", style="bold") + Text(error.advice))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> Table:
    """Lay out rows of text; ``[green]...`` and the like in cells are styles."""
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def print_json(value: Any) -> None:
    """Write one JSON document to standard output, for machines."""
    print(json.dumps(value, indent=2, sort_keys=True, default=str))  # noqa: T201 - not for a person's eyes
