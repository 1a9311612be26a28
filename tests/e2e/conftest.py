"""What the drills of several phases share: options, and a report of what was measured.

Drills that take minutes run with ``--drills``. ``--drill-report FILE`` appends what each one measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable
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


Report = Callable[[Load, dict[str, Found]], None]


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Append what a drill measured to the report, if one is asked for."""
    path = request.config.getoption("--drill-report", default=None)

    def write(load: Load, found: dict[str, Found]) -> None:
        if path is None:
            return
        row = {
            signal: {
                "acknowledged": len(load.tallies[signal].acknowledged),
                "expected": found[signal].acknowledged,
                "missing": len(found[signal].missing),
                "missing_at": _since(load, signal, found[signal].missing),
                "duplicates": found[signal].duplicates,
                "partly": found[signal].partly,
                "refused": len(load.tallies[signal].refused),
                "retried": dict(load.tallies[signal].retried),
            }
            for signal in SERVICES
        }
        with Path(path).open("a") as out:
            out.write(json.dumps({"drill": request.node.name, **row}) + "\n")

    return write


def _since(load: Load, signal: str, numbers: list[int]) -> dict[int, float]:
    """When records were acknowledged, in seconds after the load began."""
    return {number: round(load.tallies[signal].acknowledged[number] - load.started, 1) for number in numbers}
