"""The terminal: results go to standard output, progress and problems to standard error."""

from __future__ import annotations

import json
import re
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

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What moves, colours or reorders a terminal's text, or has it answer: all but newline and tab."""


def visible(text: str) -> str:
    """Show control characters as escapes such as ``\\x1b``: senders of telemetry choose many texts."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(text: str) -> None:
    """Report progress."""
    err.print(visible(text), markup=False)


def heading(text: str) -> None:
    """Start a part of long work."""
    err.print(Text(f"\n{visible(text)}", style="bold"))


def show_error(error: OpsError) -> None:
    """Say what failed and what to do."""
    err.print(Text("failed: ", style="bold red") + Text(visible(error.message)))
    if error.advice:
        err.print(Text("to do:  ", style="bold") + Text(visible(error.advice)))


def table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> Table:
    """Lay out rows; text is shown as ``visible``, styles come as ``Text``."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(columns))
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(visible(cell)) for cell in row))
    return made


def print_text(text: str) -> None:
    """Write text to standard output, for people."""
    print_plain(visible(text))


def print_plain(text: str) -> None:
    """Write text to standard output exactly as it is: nothing that senders of telemetry choose."""
    print(text)  # noqa: T201 - what a shell or another program reads


def print_json(value: Any) -> None:
    """Write one JSON document to standard output, for machines."""
    print_plain(json.dumps(value, indent=2))
