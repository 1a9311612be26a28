"""The command that asks every program of a stack how it is."""

from __future__ import annotations

from typing import Annotated

import httpx
import typer

from components.values.quantities import Duration
from ops.commands.options import AsJson, StackName
from ops.errors import OpsError
from ops.health.model import EXIT_STATUS, Reading, overall
from ops.health.pipeline import Mimir, Prometheus, pipeline_readings
from ops.health.programs import interface_readings, interfaces
from ops.health.report import as_dict, show
from ops.screen import err, print_json
from ops.session import Session, reading
from ops.web import ANSWER_SECONDS, tenant_header


def health(
    stack: StackName = "dev",
    window: Annotated[str, typer.Option(help="Look back for losses, such as 15m or 6h.")] = "15m",
    as_json: AsJson = False,
) -> None:
    """Show the stack's health. Exit status: 0 healthy, 1 degraded, 2 unknown."""
    looked_back = _duration(window)
    readings = gather(reading(stack), looked_back)
    if as_json:
        print_json(as_dict(readings))
    else:
        show(readings)
    raise typer.Exit(EXIT_STATUS[overall(readings)])


def _duration(text: str) -> str:
    try:
        return str(Duration.parse(text))
    except ValueError as error:
        raise OpsError(f"--window {text}: {error}", status=2) from error


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
