"""How the platform for Docker changes a running workload, on a real Docker Engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.images import CATALOGUE
from tests.support.docker_engine import Engine
from tests.support.program import CONTAINER
from tests.support.stack import Stack

PROGRAM = Path(__file__).with_name("programs") / "one_workload"
NAME = "subject"
READY = ["wget", "-q", "-O", "/dev/null", "http://localhost:9090/-/ready"]


@pytest.fixture(scope="module")
def stack(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    docker_engine.provide([CATALOGUE["prometheus"].reference])
    folder = tmp_path_factory.mktemp("platform") / "stack"
    config = {"host": docker_engine.host, "memory": 256, "interval": 1, "probe": READY}
    made = Stack(name="platform", folder=folder, program=PROGRAM, config=config)
    try:
        made.up()
        yield made
    finally:
        made.destroy()


def inspected(engine: Engine) -> dict[str, Any]:
    return dict(engine.client.containers.get(NAME).attrs)


def test_a_changed_healthcheck_is_applied(stack: Stack, docker_engine: Engine) -> None:
    """The provider alone would say that it updated it, and leave the container as it was."""
    assert stack.plan({"interval": 2}) == {f"{CONTAINER} {NAME}": "replace"}
    stack.up({"interval": 2})
    found = inspected(docker_engine)
    assert found["Config"]["Healthcheck"]["Interval"] == 2 * 10**9
    assert found["State"]["Health"]["Status"] == "healthy"
    stack.preview("--expect-no-changes")


def test_changed_memory_is_applied_in_place(stack: Stack, docker_engine: Engine) -> None:
    before = inspected(docker_engine)
    assert stack.plan({"memory": 320}) == {f"{CONTAINER} {NAME}": "update"}
    stack.up({"memory": 320})
    after = inspected(docker_engine)
    assert after["Id"] == before["Id"]
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"]
    assert after["HostConfig"]["Memory"] == after["HostConfig"]["MemorySwap"] == 320 * 2**20


def test_a_program_that_does_not_get_ready_fails_the_update(stack: Stack, docker_engine: Engine) -> None:
    healthy = dict(stack.config)
    ended = stack.up({"probe": ["sh", "-c", "echo the disk is full; false"], "startSeconds": 8}, check=False)
    assert ended.status != 0
    assert "Traceback" not in ended.text
    for part in (NAME, "healthy", "the disk is full"):
        assert part in ended.text
    stack.config = healthy
    stack.up()
    assert inspected(docker_engine)["State"]["Health"]["Status"] == "healthy"
