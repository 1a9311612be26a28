"""Gathers a stack's health and shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import httpx
import requests
from docker.errors import DockerException
from rich.text import Text

from ops.docker_engine import connect
from ops.errors import OpsError
from ops.health.disk import disk_readings
from ops.health.model import Reading, overall
from ops.health.pipeline import Prometheus, pipeline_readings
from ops.health.programs import container_readings, interface_readings
from ops.inventory import Inventory
from ops.project import Stack
from ops.screen import err, out, table
from ops.session import Session
from ops.web import ANSWER_SECONDS

_STYLES = {"healthy": "green", "degraded": "red", "unknown": "yellow"}


def gather(session: Session, window: str) -> list[Reading]:
    """Read everything; what cannot be read becomes a reading too.

    Raises:
        OpsError: the stack has not been brought up.
    """
    outputs, inventory = session.outputs(), session.inventory()
    with httpx.Client(timeout=ANSWER_SECONDS) as client, err.status("asking every program"):
        prometheus = Prometheus(client, outputs.text("metrics_query_url"))
        engine_readings = _from_docker(session.stack, inventory)
        return [
            *(reading for reading in engine_readings if reading.area != "disk"),
            *interface_readings(client, outputs),
            *pipeline_readings(prometheus, window),
            *(reading for reading in engine_readings if reading.area == "disk"),
        ]


def _from_docker(stack: Stack, inventory: Inventory) -> list[Reading]:
    try:
        engine = connect(stack.docker_host)
        return [
            *container_readings(engine.client, inventory),
            *disk_readings(engine, stack.settings, inventory.data_volumes),
        ]
    except OpsError as error:
        message, advice = error.message, error.advice
    except (DockerException, requests.exceptions.RequestException) as error:
        message, advice = f"the Docker Engine failed: {error}", "docker info"
    return [Reading(area="programs", name="containers", status="unknown", found=message, advice=advice)]


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
