"""What the drills of several phases share: options, and a report of what was measured.

Drills that take minutes run with ``--drills``. ``--drill-report FILE`` appends what each one measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.drills import Found
from tests.support.numbered import Load
from tests.support.otlp import SERVICES


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the long drills, and a report."""
    parser.addoption("--drills", action="store_true", help="run the drills that take minutes as well")
    parser.addoption("--drill-report", metavar="FILE", help="append what each drill measured, as JSON lines")


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker of the long drills."""
    config.addinivalue_line("markers", "long: takes minutes; runs with --drills")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long drills out unless they are asked for."""
    if config.getoption("--drills", default=False):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


Note = Callable[[Mapping[str, object]], None]
Report = Callable[[Load, dict[str, Found]], None]


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """Append what a drill measured to the report, if one is asked for."""
    path = request.config.getoption("--drill-report", default=None)

    def write(measured: Mapping[str, object]) -> None:
        if path is not None:
            with Path(path).open("a") as out:
                out.write(json.dumps({"drill": request.node.name, **measured}) + "\n")

    return write


@pytest.fixture
def report(note: Note) -> Report:
    """Append what became of a load's records to the report."""

    def write(load: Load, found: dict[str, Found]) -> None:
        note({signal: _became(load, signal, found[signal]) for signal in SERVICES})

    return write


def _became(load: Load, signal: str, found: Found) -> dict[str, object]:
    tally = load.tallies[signal]
    return {
        "acknowledged": len(tally.acknowledged),
        "expected": found.acknowledged,
        "missing": len(found.missing),
        "missing_at": _since(load, signal, found.missing),
        "duplicates": found.duplicates,
        "partly": found.partly,
        "refused": len(tally.refused),
        "retried": dict(tally.retried),
    }


def _since(load: Load, signal: str, numbers: list[int]) -> dict[int, float]:
    """When records were acknowledged, in seconds after the load began."""
    return {number: round(load.tallies[signal].acknowledged[number] - load.started, 1) for number in numbers}
