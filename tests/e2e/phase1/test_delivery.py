"""What a client got an OK for arrives, whatever happens to the programs meanwhile."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.deliveries import await_acknowledged, await_everything
from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.numbered_requests import large_span_request, logs_request, mixed_metrics_request
from tests.support.numbered_sending import running
from tests.support.otlp import export
from tests.support.phase1 import PROGRAMS
from tests.support.stack import Stack
from tests.support.stored import has_wrong_trace, logs_of, samples_of
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("stack")
COLLECTOR = "otel-collector"
LOGS_WHILE_AWAY = 1000
MEBIBYTE = 2**20
SOME = 50
"""Records of each signal; traces come slowest, 25 a second."""


def new_load(site: Site) -> Load:
    return Load(run=uuid.uuid4().hex[:8], target=site.target)


def restart(site: Site, name: str) -> None:
    """The collector's image cannot ask for its health; what it acknowledges next shows that it is up."""
    site.container(name).restart(timeout=30)
    if name != COLLECTOR:
        site.await_health(name)


@pytest.fixture(scope="module")
def kept(site: Site) -> Load:
    """Load that has arrived before anything is done to the stack."""
    with running(new_load(site)) as load:
        await_acknowledged(load, SOME)
    await_everything(site, load)
    return load


def test_the_largest_record_and_span_are_stored_and_hold_nothing_up(site: Site) -> None:
    """A record as large as a request passes the queue; Jaeger keeps the beginning of long attributes."""
    large, number = new_load(site), 10
    padding = uuid.uuid4().hex * (3 * MEBIBYTE // 32)
    assert export(site.target, "logs", logs_request(large, 0, [number], padding=padding)[0]) == ""
    assert export(site.target, "traces", large_span_request(large, number, padding)) == ""
    with running(new_load(site)) as load:
        await_acknowledged(load, SOME)
    await_everything(site, load)
    until("the large record in Loki", lambda: logs_of(site, large) == {number: 1}, seconds=60)
    until("the large span in Jaeger", lambda: has_wrong_trace(site, large, number), seconds=60, pause=2)


def test_many_records_of_one_request_with_much_about_their_resource_are_stored(site: Site) -> None:
    """Loki writes what is known of the resource to each record: 0.3 MB become 21 MB."""
    large, count = new_load(site), 8192
    many = logs_request(large, 0, range(count), command="x" * 2500)
    assert export(site.target, "logs", many[0]) == ""
    until("all records in Loki", lambda: len(logs_of(site, large)) == count, seconds=60, pause=2)


def test_samples_that_are_refused_take_no_others_along(site: Site) -> None:
    """Prometheus refuses a whole request; the collector puts those of many applications into one."""
    mixed, numbers = new_load(site), list(range(20))
    assert export(site.target, "metrics", mixed_metrics_request(mixed, numbers)) == ""
    until("the good samples in Prometheus", lambda: set(samples_of(site, mixed)) == set(numbers), seconds=60)


def test_collector_killed_while_loki_is_away(site: Site) -> None:
    collector, loki = site.container(COLLECTOR), site.container("loki")
    with running(new_load(site)) as load:
        await_acknowledged(load, SOME)
        loki.stop(timeout=30)
        await_acknowledged(load, LOGS_WHILE_AWAY, ("logs",))
        collector.kill(signal="SIGKILL")
        collector.start()
        await_acknowledged(load, SOME)
        site.start("loki")
    await_everything(site, load)


def test_each_program_restarted_in_turn(site: Site) -> None:
    with running(new_load(site)) as load:
        for name in PROGRAMS:
            await_acknowledged(load, SOME)
            restart(site, name)
        await_acknowledged(load, SOME)
    await_everything(site, load)


def test_data_outlives_a_restart_of_everything(site: Site, kept: Load) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: restart(site, name), PROGRAMS))
    await_everything(site, kept)


def test_data_outlives_a_new_version_of_the_collector(
    stack: Stack, site: Site, kept: Load, next_collector: str
) -> None:
    before = site.container(COLLECTOR).attrs["Image"]
    with running(new_load(site)) as load:
        await_acknowledged(load, SOME)
        stack.up({"images": {"overrides": {"collector": next_collector}}})
        await_acknowledged(load, SOME)
    after = site.container(COLLECTOR).attrs["Image"]
    assert (after != before, after) == (True, site.client.images.get(next_collector).id)
    await_everything(site, load)
    await_everything(site, kept)
    stack.preview("--expect-no-changes")
