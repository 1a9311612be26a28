"""Kafka's disk full, under load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Report
from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.stack import Stack
from tests.support.steady import demand_nothing_lost, flow, turned_away

BROKER, DATA = "kafka-1", "/var/lib/kafka/data"
DISK_MEBIBYTES = 400


@pytest.fixture
def disk(site: Site, stack: Stack | None, tmp_path: Path) -> Iterator[SmallDisk]:
    """The broker's data on a small disk."""
    if stack is None:
        pytest.skip("only moves the data of a stack of the tests' own")
    broker = site.container(BROKER)
    folder = next(mount["Source"] for mount in broker.attrs["Mounts"] if mount["Destination"] == DATA)
    broker.stop(timeout=60)
    with small_disk(folder, tmp_path, DISK_MEBIBYTES) as made:
        site.start(BROKER)
        yield made
        site.container(BROKER).stop(timeout=60)
    site.start(BROKER)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_kafka_disk_full(site: Site, disk: SmallDisk, load: Load, report: Report) -> None:
    with running(load):
        flow(load)
        disk.fill()
        turned_away(load, seconds=120)
        disk.free()
        site.await_health(BROKER, seconds=180)
        flow(load)
    said = site.container(BROKER).logs().decode(errors="replace")
    assert "the broker stops" in said, "the broker was not stopped before its disk was full"
    assert "No space left" not in said, "the broker met a full disk"
    report(load, demand_nothing_lost(site, load))
