"""``python -m tests.bench``: this project's phase 2 against the guide's, on the same binaries and machine."""

from __future__ import annotations

import os
import shlex
import signal as signals
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from tests.bench import report
from tests.bench.results import Measured
from tests.bench.run import Length, measure
from tests.bench.shapes import SHAPES
from tests.lab.errors import LabError
from tests.support.otlp import SERVICES


def main(
    rounds: Annotated[int, typer.Option(min=1, help="runs of each configuration and signal")] = 3,
    signal: Annotated[list[str] | None, typer.Option(help="logs, metrics or traces; all by default")] = None,
    out: Annotated[Path, typer.Option(help="JSON file with every run")] = Path("bench.json"),
    seconds: Annotated[float, typer.Option(min=1, help="of load, by each number of workers")] = 4.0,
    delivery: Annotated[float, typer.Option(min=15, help="seconds to deliver in, at most")] = 20.0,
    together: Annotated[float, typer.Option(min=1, help="seconds of load and delivery at once")] = 8.0,
    calls: Annotated[int, typer.Option(min=1, help="calls that a load worker has in flight")] = 32,
) -> None:
    """Measure both configurations in turn, and show the medians."""
    signals.signal(signals.SIGTERM, _stop)
    chosen = signal or list(SERVICES)
    unknown = sorted(set(chosen) - set(SERVICES))
    if unknown:
        raise typer.BadParameter(f"--signal {unknown[0]}: allowed are {', '.join(SERVICES)}")
    length = Length(load=seconds, delivery=delivery, together=together, calls=calls)
    console, runs, averages = Console(), [], []
    try:
        for turn in range(1, rounds + 1):
            for name in chosen:
                for shape in SHAPES if turn % 2 else reversed(SHAPES):
                    averages.append(os.getloadavg()[0])
                    runs.append(measure(shape, name, length))
                    console.print(_line(turn, runs[-1], averages[-1]))
    except LabError as error:
        console.print(f"failed: {error}")
        raise typer.Exit(1) from None
    finally:
        _finish(runs, out, averages, console)


def _line(turn: int, run: Measured, average: float) -> str:
    rates = ", ".join(f"{load.acknowledged:,.0f}" for load in run.loads)
    return (
        f"round {turn}: {run.signal}, {run.shape}: acknowledged/s {rates}; "
        f"stored/s {run.delivered.stored:,.0f}; decided/s {run.delivered.decided:,.0f}; "
        f"together {run.together.acknowledged:,.0f} and {run.together.stored:,.0f}; "
        f"load average before {average:.1f}"
    )


def _finish(runs: Sequence[Measured], out: Path, averages: Sequence[float], console: Console) -> None:
    if runs:
        report.show(runs, console)
        report.save(
            runs,
            out,
            command=shlex.join(["python", "-m", "tests.bench", *sys.argv[1:]]),
            load_average=averages,
        )
        console.print(f"every run: {out}")


def _stop(number: int, _frame: FrameType | None) -> None:
    """End in an orderly way, so that no program is left running."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    typer.run(main)
