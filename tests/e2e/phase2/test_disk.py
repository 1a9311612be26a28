"""Disks of Kafka full, that of the only broker and those of three together, under load."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Report
from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.stack import Stack
from tests.support.steady import demand_nothing_lost, flow, turned_away

ONE, THREE = ("kafka-1",), ("kafka-1", "kafka-2", "kafka-3")
DATA = "/var/lib/kafka/data"
DISK_MEBIBYTES = 400
ENDED = re.compile(r"shut down completed \(kafka\.server\.BrokerServer\)|the broker is killed")


@contextmanager
def small_disks(
    site: Site, stack: Stack | None, brokers: Sequence[str], scratch: Path
) -> Iterator[list[SmallDisk]]:
    """Have the data of brokers on small disks of their own."""
    if stack is None:
        pytest.skip("only moves the data of a stack of the tests' own")
    with ExitStack() as moved:
        yield [moved.enter_context(_moved(site, name, scratch / name)) for name in brokers]


@contextmanager
def _moved(site: Site, name: str, scratch: Path) -> Iterator[SmallDisk]:
    scratch.mkdir()
    broker = site.container(name)
    folder = next(mount["Source"] for mount in broker.attrs["Mounts"] if mount["Destination"] == DATA)
    broker.stop(timeout=60)
    with small_disk(folder, scratch, DISK_MEBIBYTES) as disk:
        site.start(name)
        site.await_health(name, seconds=180)
        yield disk
        site.container(name).stop(timeout=60)
    site.start(name)


def _full_under_load(site: Site, brokers: Sequence[str], disks: Sequence[SmallDisk], load: Load) -> None:
    """Fill all disks at once and free them once calls are turned away; every broker must stop in time."""
    with running(load):
        flow(load)
        with ThreadPoolExecutor(max_workers=len(disks)) as filling:
            list(filling.map(SmallDisk.fill, disks))
        turned_away(load, seconds=120)
        for disk in disks:
            disk.free()
        for name in brokers:
            site.await_health(name, seconds=180)
        flow(load)
    for name in brokers:
        _demand_closed_in_time(name, site.container(name).logs().decode(errors="replace"))


def _demand_closed_in_time(name: str, said: str) -> None:
    """Check that a broker's records were closed, or the broker killed, before its disk was full.

    The last one of a quorum then waits up to five seconds for the others with nothing but metadata open.
    """
    before, stops, after = said.partition("the broker stops")
    assert stops, f"{name} was not stopped before its disk was full"
    ended = ENDED.search(after)
    assert ended, f"{name} did not end by itself"
    assert "No space left" not in before + after[: ended.start()], f"{name} met a full disk"


@pytest.mark.long
@pytest.mark.timeout(900)
def test_kafka_disk_full(site: Site, stack: Stack | None, tmp_path: Path, load: Load, report: Report) -> None:
    with small_disks(site, stack, ONE, tmp_path) as disks:
        _full_under_load(site, ONE, disks, load)
        report(load, demand_nothing_lost(site, load))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_three_disks_full_together(
    three_brokers: Site, stack: Stack | None, tmp_path: Path, load: Load, report: Report
) -> None:
    with small_disks(three_brokers, stack, THREE, tmp_path) as disks:
        _full_under_load(three_brokers, THREE, disks, load)
        report(load, demand_nothing_lost(three_brokers, load))
