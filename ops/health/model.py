"""What health is made of: readings, and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["healthy", "degraded", "unknown"]

EXIT_STATUS: dict[Status, int] = {"healthy": 0, "degraded": 1, "unknown": 2}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One thing that was checked.

    Attributes:
        area: programs, certificate, scrapes, queues, losses or disk.
        name: of the program, target, exporter or volume.
        status: unknown means that it could not be read.
        found: the value.
        advice: what to do unless healthy.
    """

    area: str
    name: str
    status: Status = "healthy"
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """The form for machines."""
        return asdict(self)


def overall(readings: Sequence[Reading]) -> Status:
    """Degraded when anything is; else unknown when anything could not be read."""
    statuses = {reading.status for reading in readings}
    if "degraded" in statuses:
        return "degraded"
    return "unknown" if "unknown" in statuses or not readings else "healthy"
