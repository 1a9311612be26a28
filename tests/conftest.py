"""What every test may rely on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from tests.lab.cluster import lifecycle
from tests.lab.errors import LabError
from tests.support.cluster import Cluster, cluster
from tests.support.docker_engine import Engine, engine
from tests.support.durations import Durations
from tests.support.lab import missing
from tests.support.namespaces import await_all_gone

Note = Callable[[Mapping[str, object]], None]

ENGINES = "engines"
"""Marks tests that use the tests' Docker Engine or the cluster, which only one run at a time may do."""

settings.register_profile("steady", deadline=None)  # a busy machine is no failure
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to write golden files anew, the long drills, and reports of them and of durations."""
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing")
    parser.addoption("--drills", action="store_true", help="run the drills that take minutes as well")
    parser.addoption("--drill-report", metavar="FILE", help="append what each drill measured, as JSON lines")
    parser.addoption(
        "--group-durations", metavar="FILE", help="append how long groups of tests took, as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and begin a report of durations if one is asked for."""
    report = config.getoption("--group-durations")
    if report is not None:
        config.pluginmanager.register(Durations(Path(report)))
    config.addinivalue_line("markers", "long: takes minutes; runs with --drills")
    config.addinivalue_line("markers", f"{ENGINES}: uses the tests' Docker Engine or the cluster")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what uses an engine. Drills of whole stacks may do so without naming the fixture."""
    used = {"docker_engine", "kubernetes"} & set(getattr(item, "fixturenames", ()))
    if used or "e2e" in item.path.parts:
        item.add_marker(ENGINES)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long drills out unless they are asked for."""
    if config.getoption("--drills"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    """A Docker Engine that no stack but those of the tests uses."""
    with engine() as found:
        yield found


@pytest.fixture(scope="session")
def kubernetes() -> Iterator[Cluster]:
    """The lab's cluster; one that did not run before is gone afterwards."""
    try:
        was_up = lifecycle.is_up()
        if not was_up:
            with lifecycle.lock():
                lifecycle.up()
    except LabError as error:
        missing(str(error))
    yield cluster()
    if was_up:
        await_all_gone()
    else:
        with lifecycle.lock():
            lifecycle.down()


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """Append what a drill measured to the report, if one is asked for."""
    path = request.config.getoption("--drill-report", default=None)

    def write(measured: Mapping[str, object]) -> None:
        if path is not None:
            with Path(path).open("a") as out:
                out.write(json.dumps({"drill": request.node.name, **measured}) + "\n")

    return write
