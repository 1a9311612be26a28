"""One of three Kafka brokers away, and one that comes back with an empty disk, under load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker.errors import NotFound

from tests.e2e.conftest import Report
from tests.support.drills import KAFKA, Site
from tests.support.numbered import Load, running
from tests.support.stack import Stack
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

DATA = "/var/lib/kafka/data"


@pytest.fixture(scope="module")
def three_brokers(site: Site, stack: Stack | None) -> Iterator[Site]:
    """The site with three brokers; a stack of the tests' own is made anew with them, and without again."""
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


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("wiped", [False, True], ids=["disk kept", "disk wiped"])
def test_one_of_three_brokers(three_brokers: Site, load: Load, report: Report, wiped: bool) -> None:
    site, name = three_brokers, "kafka-3" if wiped else "kafka-2"
    with running(load):
        flow(load)
        if wiped:
            site.container(name).stop(timeout=60)
            _wipe(site, name)
            flow(load)
            site.start(name)
        else:
            site.kill(name)
            site.await_health(name)
        flow(load)
        until("all copies to be in sync", lambda: not _behind(site), seconds=180)
    report(load, demand_nothing_lost(site, load))


def _wipe(site: Site, name: str) -> None:
    broker = site.container(name)
    volume = next(mount["Name"] for mount in broker.attrs["Mounts"] if mount["Destination"] == DATA)
    site.client.containers.run(
        broker.attrs["Image"],
        entrypoint=["bash", "-c", f"rm -rf {DATA}/*"],
        volumes={volume: {"bind": DATA, "mode": "rw"}},
        remove=True,
    )


def _behind(site: Site) -> str:
    """Describe the partitions some copy of which is not in sync."""
    tool = "/opt/kafka/bin/kafka-topics.sh"
    return site.run("kafka-topics", tool, *KAFKA, "--describe", "--under-replicated-partitions").strip()
