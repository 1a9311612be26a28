"""Drills: a stack of phase 2 under steady load whose parts are killed, stopped and changed.

``--drill-running`` drills the stack that is up on the machine's own Docker Engine instead of one of the
tests' own.
"""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from docker.errors import NotFound

from tests.support import phase2
from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.stack import Stack


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to drill a stack that is already running."""
    parser.addoption("--drill-running", action="store_true", help="drill the stack that is up (hurts it!)")


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack | None]:
    """A stack of phase 2 on the tests' own engine; None when the one that is up is drilled."""
    if request.config.getoption("--drill-running", default=False):
        yield None
        return
    engine: Engine = request.getfixturevalue("docker_engine")
    with phase2.running("drill", engine, tmp_path_factory.mktemp("drill") / "stack") as made:
        yield made


@pytest.fixture(scope="package")
def changeable(stack: Stack | None) -> Stack:
    """The stack of the tests' own, for what changes it."""
    if stack is None:
        pytest.skip("only changes a stack of the tests' own")
    return stack


@pytest.fixture(scope="package")
def site(request: pytest.FixtureRequest, stack: Stack | None) -> Iterator[Site]:
    """Where the drilled stack answers."""
    if stack is None:
        client = docker.from_env(timeout=120)
        yield Site(client=client, address="127.0.0.1")
        client.close()
        return
    yield phase2.site_of(stack, request.getfixturevalue("docker_engine"))


@pytest.fixture(scope="module")
def three_brokers(site: Site, stack: Stack | None) -> Iterator[Site]:
    """The site with three brokers; a stack of the tests' own is rebuilt with them, and afterwards without."""
    _rebuild(stack, {"brokers": 3})
    try:
        site.container("kafka-3")
    except NotFound:
        pytest.skip("the stack that is up has one broker")
    yield site
    _rebuild(stack, {})


def _rebuild(stack: Stack | None, kafka: dict[str, int]) -> None:
    if stack is not None:
        stack.destroy()
        stack.up({"kafka": kafka})
