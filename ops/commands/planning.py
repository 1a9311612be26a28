"""The command that works out what a rate and a retention need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from components.cost.plan import plan as priced
from ops.commands.options import AsJson
from ops.plan import PRICES, as_json, read_prices, read_retention, show
from ops.screen import out, print_json

Rate = Annotated[
    int,
    typer.Option(
        "--events-per-second", "-n", min=1, help="Spans, samples and log records together, sustained."
    ),
]
Age = typer.Option(help="How long it is kept; by default as --retention, or the stack's default.")

Kept = typer.Option(
    min=0.1,
    max=100,
    help="Percentage of traces that sampling keeps, from phase 2 on: what is stored, and the bill from"
    " phase 3 on. Up to phase 3 it has a volume for all traces.",
)


def plan(
    events_per_second: Rate,
    retention: Annotated[
        str | None, typer.Option(help="How long everything is kept, such as 30d; see the next three.")
    ] = None,
    retention_traces: Annotated[str | None, Age] = None,
    retention_metrics: Annotated[str | None, Age] = None,
    retention_logs: Annotated[str | None, Age] = None,
    phase: Annotated[
        int | None, typer.Option(min=1, max=4, help="Phase; the first that fits when not given.")
    ] = None,
    traces_kept: Annotated[float, Kept] = 100,
    prices: Annotated[Path, typer.Option(help="Price table.")] = PRICES,
    json: AsJson = False,
) -> None:
    """Print phase, sizes, storage and monthly cost for a rate; deploy nothing."""
    table = read_prices(prices)
    alone = {"traces": retention_traces, "metrics": retention_metrics, "logs": retention_logs}
    ages = read_retention(alone, retention)
    made = priced(events_per_second, ages, table, phase=phase, kept=traces_kept / 100)
    if json:
        print_json(as_json(made, table))
    else:
        out.print(show(made, table))
