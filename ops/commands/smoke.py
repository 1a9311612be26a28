"""The command that proves a stack by what it stores."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

from ops.commands.options import AsJson, StackName, address
from ops.errors import OpsError
from ops.project import load_stack
from ops.screen import print_json
from ops.session import Session, reading
from ops.smoke.report import endpoints, show
from ops.smoke.run import run

SMOKE_SECONDS = 90.0
"""Default deadline. A warm stack needs a few seconds, tail sampling its decision wait (10 s) on top, and a
fresh stack on a busy machine some more."""


def smoke(
    stack: StackName = "dev",
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for arrival.")] = SMOKE_SECONDS,
    grpc: Annotated[str | None, address("grpc", "OTLP over gRPC", variable="SMOKE_GRPC")] = None,
    http: Annotated[str | None, address("http", "OTLP over HTTP", variable="SMOKE_HTTP")] = None,
    traces: Annotated[str | None, address("traces", "Jaeger, or Tempo", variable="SMOKE_TRACES")] = None,
    metrics: Annotated[
        str | None, address("metrics", "Prometheus, or Mimir with /prometheus", variable="SMOKE_METRICS")
    ] = None,
    logs: Annotated[str | None, address("logs", "Loki", variable="SMOKE_LOGS")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a trace, a log and a metric and find them in the stores; exit status 0 only if all arrived."""
    given = {"grpc": grpc, "http": http, "traces": traces, "metrics": metrics, "logs": logs}
    with ExitStack() as ways:
        settings = load_stack(stack).settings
        chosen = endpoints(given, settings, lambda: ways.enter_context(reading(stack).reached()))
        report = run(chosen, timeout)
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
    if not report.passed:
        raise typer.Exit(1)


def prove(session: Session) -> None:
    """Run the smoke check of a stack that has just been brought up.

    Raises:
        OpsError: something did not arrive.
    """
    with session.reached() as outputs:
        report = run(endpoints({}, session.stack.settings, lambda: outputs), SMOKE_SECONDS)
    show(report)
    if not report.passed:
        raise OpsError(
            "the stack is up, but not everything that was sent has arrived",
            f"make health says which program is at fault, {session.site.log_of('<name>')} why; "
            "make smoke tries again",
        )
