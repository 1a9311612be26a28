"""Which addresses a smoke run uses, and how its outcome is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.text import Text

from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings import Settings
from ops.outputs import StackOutputs
from ops.screen import MARKS, out, print_text, table
from ops.smoke.run import Endpoints, Report

OUTPUT_OF = {
    "grpc": "otlp_grpc_endpoint",
    "http": "otlp_http_endpoint",
    "traces": "traces_query_url",
    "metrics": "metrics_query_url",
    "logs": "logs_query_url",
}
"""Which output of the stack is the default of which address."""


def endpoints(
    given: Mapping[str, str | None], settings: Settings, outputs: Callable[[], StackOutputs]
) -> Endpoints:
    """Take the addresses that were given, and the others from the stack's outputs.

    Args:
        given: address by field of ``Endpoints``; None where nothing was given.
        settings: of the stack; they say what the stores are where the outputs are not read.
        outputs: reads the stack's outputs; not called when everything was given.

    Raises:
        OpsError: the outputs are needed and cannot be read.
    """
    addresses = {name: address for name in OUTPUT_OF if (address := given.get(name))}
    if len(addresses) == len(OUTPUT_OF):
        if settings.phase < ON_OBJECT_STORAGE:
            return Endpoints(**addresses)
        stores = settings.stores
        return Endpoints(**addresses, tenant=stores.tenant, trace_store="tempo", metric_store="mimir")
    known = outputs()
    chosen = {
        name: addresses.get(name) or known.text(output).rstrip("/") for name, output in OUTPUT_OF.items()
    }
    return Endpoints(
        **chosen,
        tenant=known.tenant,
        trace_store=known.text("traces_datasource_uid"),
        metric_store=known.text("metrics_datasource_uid"),
    )


def show(report: Report) -> None:
    """Print what arrived where and after how long."""
    rows: list[tuple[str | Text, ...]] = [
        (
            MARKS["ok" if arrival.arrived else "fail"],
            f"{arrival.signal} over {arrival.transport}",
            arrival.store,
            f"{arrival.seconds:.1f} s",
            arrival.detail,
        )
        for arrival in report.arrivals
    ]
    out.print(table(("", "sent", "asked", "after", "found"), rows))
    missing = sum(not arrival.arrived for arrival in report.arrivals)
    verdict = "everything arrived" if not missing else f"{missing} of {len(rows)} did not arrive"
    print_text(f"smoke {report.smoke_id}: {verdict}")
