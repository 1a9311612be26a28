"""Shows a stack's health."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from rich.text import Text

from ops.health.model import Reading, overall
from ops.screen import out, print_text, table

_STYLES = {"healthy": "green", "degraded": "red", "unknown": "yellow"}


def as_dict(readings: Sequence[Reading]) -> dict[str, object]:
    """The form for machines."""
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "status": overall(readings),
        "readings": [reading.as_dict() for reading in readings],
    }


def show(readings: Sequence[Reading]) -> None:
    """Print a table, then what to do about everything that is not healthy."""
    rows = [
        (reading.area, Text(reading.status, style=_STYLES[reading.status]), reading.name, reading.found)
        for reading in readings
    ]
    out.print(table(("area", "status", "name", "found"), rows))
    for reading in readings:
        if reading.status != "healthy" and reading.advice:
            print_text(f"{reading.area}, {reading.name}: {reading.advice}")
    status = overall(readings)
    out.print(Text("the stack is ") + Text(status, style=_STYLES[status]))
