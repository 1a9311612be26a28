"""What the drills of several phases share: the load, and what became of it."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Protocol

import pytest

from tests.conftest import Note
from tests.support.docker_site import Site
from tests.support.numbered import Load, Rates
from tests.support.otlp import SERVICES
from tests.support.stored import Found

Report = Callable[[Load, dict[str, Found]], None]


class Reached(Protocol):
    """A running stack of any phase."""

    @property
    def target(self) -> str:
        """``host:port`` of OTLP over gRPC."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the programs' logs of a failed test on Docker, whose stack is gone by the time anybody looks."""
    report = yield
    if report.when == "call" and report.failed and isinstance(item, pytest.Function):
        site = item.funcargs.get("site")
        if isinstance(site, Site):
            folder = Path(tempfile.mkdtemp(prefix="otel-stack-drill-"))
            site.keep_logs(folder)
            report.sections.append(("logs of the programs", f"in {folder}"))
    return report


@pytest.fixture
def load(site: Reached) -> Load:
    """Load that has not started yet, for the stack of the phase."""
    return Load(run=uuid.uuid4().hex[:8], target=site.target, rates=Rates())


@pytest.fixture
def report(note: Note) -> Report:
    """Append the fate of a load's records to the report."""

    def write(load: Load, found: dict[str, Found]) -> None:
        note({signal: _became(load, signal, found[signal]) for signal in SERVICES})

    return write


def _became(load: Load, signal: str, found: Found) -> dict[str, object]:
    tally = load.tallies[signal]
    return {
        "acknowledged": len(tally.acknowledged),
        "expected": found.acknowledged,
        "missing": len(found.missing),
        "missing_at": load.acknowledged_at(signal, found.missing),
        "duplicates": found.duplicates,
        "partly": found.partly,
        "refused": len(tally.refused),
        "retried": dict(tally.retried),
    }
