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

MARKS = {
    "ok": Text("ok", style="green"),
    "warn": Text("warn", style="yellow"),
    "fail": Text("fail", style="red"),
}


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


def table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> Table:
    """Lay out rows; text is shown as it is, styles come as ``Text``."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(columns))
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return made


def print_plain(text: str) -> None:
    """Write text to standard output exactly as it is."""
    print(text)  # noqa: T201 - what a shell or another program reads


def print_json(value: Any) -> None:
    """Write one JSON document to standard output, for machines."""
    print_plain(json.dumps(value, indent=2))
