"""Drills: a stack of phase 2 under steady load whose parts are killed, stopped and changed.

The ones that take minutes run with ``--drills``. ``--drill-running`` drills the stack that is up on the
machine's own Docker Engine instead of one of the tests' own; ``--drill-report FILE`` appends what was
measured.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.support.docker_engine import Engine
from tests.support.drills import Found, Site
from tests.support.numbered import Load, Rates
from tests.support.otlp import SERVICES
from tests.support.ports import free_ports
from tests.support.program import run_program
from tests.support.stack import Stack

PHASE = {"phase": 2, "sizing": {"preset": "small"}}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the long drills, a stack that runs already, and a report."""
    parser.addoption("--drills", action="store_true", help="run the drills that take minutes as well")
    parser.addoption("--drill-running", action="store_true", help="drill the stack that is up (it is hurt!)")
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


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack | None]:
    """A stack of phase 2 on the tests' own engine; None when the one that is up is drilled."""
    if request.config.getoption("--drill-running", default=False):
        yield None
        return
    engine: Engine = request.getfixturevalue("docker_engine")
    engine.provide(image.name for image in run_program(PHASE).of("docker:index/remoteImage:RemoteImage"))
    made = Stack(
        name="drill", folder=tmp_path_factory.mktemp("drill") / "stack", config=_config(engine, free_ports(7))
    )
    try:
        made.up()
        yield made
    finally:
        made.destroy()


def _config(engine: Engine, ports: list[int]) -> dict[str, object]:
    grpc, http, jaeger, prometheus, loki, haproxy, grafana = ports
    return {
        **PHASE,
        "docker": {"host": engine.host},
        "ingest": {"bindAddress": engine.address, "grpcPort": grpc, "httpPort": http},
        "query": {
            "bindAddress": engine.address,
            "jaegerPort": jaeger,
            "prometheusPort": prometheus,
            "lokiPort": loki,
            "haproxyPort": haproxy,
        },
        "grafana": {"bindAddress": engine.address, "port": grafana},
    }


@pytest.fixture(scope="package")
def site(request: pytest.FixtureRequest, stack: Stack | None) -> Iterator[Site]:
    """Where the stack under drill answers."""
    if stack is None:
        client = docker.from_env(timeout=120)
        yield Site(client=client, address="127.0.0.1")
        client.close()
        return
    engine: Engine = request.getfixturevalue("docker_engine")
    query, ingest = stack.config["query"], stack.config["ingest"]
    yield Site(
        client=engine.client,
        address=engine.address,
        grpc=ingest["grpcPort"],
        http=ingest["httpPort"],
        loki=query["lokiPort"],
        prometheus=query["prometheusPort"],
        jaeger=query["jaegerPort"],
        haproxy=query["haproxyPort"],
    )


@pytest.fixture
def load(site: Site) -> Load:
    """Load that has not begun yet."""
    return Load(run=uuid.uuid4().hex[:8], target=site.target, rates=Rates())


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
