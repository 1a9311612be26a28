"""Gathers a stack's health and shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import httpx
from rich.text import Text

from ops.health.model import Reading, overall
from ops.health.pipeline import Mimir, Prometheus, pipeline_readings
from ops.health.programs import interface_readings, interfaces
from ops.screen import err, out, table
from ops.session import Session
from ops.web import ANSWER_SECONDS, tenant_header

_STYLES = {"healthy": "green", "degraded": "red", "unknown": "yellow"}


def gather(session: Session, window: str) -> list[Reading]:
    """Read everything; what cannot be read becomes a reading too.

    Raises:
        OpsError: the stack has not been brought up, or cannot be reached at all.
    """
    inventory, site, declared = session.inventory(), session.site, session.outputs()
    with (
        err.status("asking every program"),
        site.reached(declared) as outputs,
        httpx.Client(timeout=ANSWER_SECONDS, headers=tenant_header(outputs.tenant)) as client,
    ):
        kind = Mimir if outputs.text("metrics_datasource_uid") == "mimir" else Prometheus
        prometheus = kind(client, outputs.text("metrics_query_url"))
        readings = list(site.readings(inventory))
        return [
            *(reading for reading in readings if reading.area != "disk"),
            *interface_readings(client, interfaces(declared), outputs, site.log_of),
            *pipeline_readings(prometheus, window, site.log_of),
            *(reading for reading in readings if reading.area == "disk"),
        ]


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
            out.print(f"{reading.area}, {reading.name}: {reading.advice}", markup=False)
    status = overall(readings)
    out.print(Text("the stack is ") + Text(status, style=_STYLES[status]))
