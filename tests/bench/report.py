"""Medians of several runs, as a table for people and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from components.images import CATALOGUE
from tests.bench.results import Measured
from tests.bench.run import WORKERS

DIGITS = 100
"""From this value on, a figure is shown without a fraction."""
ROWS: tuple[tuple[str, str], ...] = (
    *((f"acknowledged/s, {count} workers", f"acknowledged, {count} workers") for count in WORKERS),
    *((f"acknowledged after ms, p50, {count} workers", f"p50, {count} workers") for count in WORKERS),
    *((f"acknowledged after ms, p99, {count} workers", f"p99, {count} workers") for count in WORKERS),
    ("refused calls, 4 workers", "refused, 4 workers"),
    ("stored/s", "stored"),
    ("acknowledged/s, load and delivery at once", "acknowledged, together"),
    ("acknowledged after ms, p99, at once", "p99, together"),
    ("stored/s, at once", "stored, together"),
    ("traces decided whole/s", "decided"),
    ("traces decided whole/s, at once", "decided, together"),
    ("traces thrown away undecided", "undecided"),
    ("bytes per event in Kafka", "bytes_per_event"),
    ("gateway CPU s per million events", "gateway_cpu, 2 workers"),
    ("broker CPU s per million events", "kafka_cpu, 2 workers"),
    ("processor CPU s per million events", "cpu"),
    ("gateway memory MiB", "gateway_memory"),
    ("processor memory MiB", "processor_memory"),
    ("broker memory MiB", "kafka_memory"),
    ("acknowledged, not in Kafka", "unwritten"),
)
"""What is shown -> name of the figure."""


def medians(runs: Sequence[Measured]) -> Mapping[tuple[str, str], Mapping[str, float]]:
    """Give the median of each figure, by signal and shape."""
    groups: dict[tuple[str, str], list[Mapping[str, float]]] = {}
    for run in runs:
        groups.setdefault((run.signal, run.shape), []).append(run.figures())
    return {
        group: {name: statistics.median(each[name] for each in figures) for name in figures[0]}
        for group, figures in groups.items()
    }


def show(runs: Sequence[Measured], console: Console) -> None:
    """Print one table for each signal."""
    found = medians(runs)
    for signal in dict.fromkeys(run.signal for run in runs):
        guide, ours = found.get((signal, "guide"), {}), found.get((signal, "ours"), {})
        table = Table("", "guide", "ours", "ours / guide", title=f"{signal}, medians")
        for title, name in ROWS:
            values = guide.get(name, 0.0), ours.get(name, 0.0)
            if any(values):
                ratio = f"{values[1] / values[0]:.2f}" if all(values) else ""
                table.add_row(title, *map(_figure, values), ratio)
        console.print(table)


def save(runs: Sequence[Measured], path: Path, *, command: str, load_average: Sequence[float]) -> None:
    """Write every run and the medians, with machine, versions and command."""
    content: dict[str, Any] = {
        "command": command,
        "machine": {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "system": platform.platform(),
            "load_average": list(load_average),
        },
        "versions": {name: CATALOGUE[name].tag for name in ("collector", "kafka", "loki", "prometheus")},
        "medians": {f"{signal}, {shape}": found for (signal, shape), found in medians(runs).items()},
        "runs": [asdict(run) for run in runs],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= DIGITS else f"{value:.2f}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
