"""More of every signal than the stack can take: clients are slowed down, no program dies of it."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support.docker_site import STORES, Site
from tests.support.numbered import Load
from tests.support.numbered_requests import logs_request
from tests.support.numbered_sending import running
from tests.support.otlp import Answer, calls
from tests.support.overload import all_survive, overloaded
from tests.support.steady import demand_nothing_lost, flow, lag_gone, note_pause, turned_away

FLOW_SECONDS = 300.0
READ_SECONDS = 1500.0
"""Kafka takes records several times as fast as the stores."""
AT_ONCE, RECORDS, BYTES = 160, 8000, 400
"""Calls in flight, each with this many records of this many bytes: nearly the largest request."""


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("stores", [(), STORES], ids=["stores there", "stores away"])
def test_overload(site: Site, load: Load, report: Report, note: Note, stores: tuple[str, ...]) -> None:
    """With the stores away, processors then read at full speed what has waited for them."""
    with all_survive(site, but=stores):
        with running(load):
            flow(load)
            with overloaded(site, stores, note):
                flow(load, seconds=FLOW_SECONDS)
            flow(load, seconds=FLOW_SECONDS)
        note_pause(load, note)
        lag_gone(site, READ_SECONDS)
        report(load, demand_nothing_lost(site, load))


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_many_large_calls_at_once_while_kafka_is_away(
    site: Site, load: Load, report: Report, note: Note
) -> None:
    """As of agents that send what they have kept; each stays with a gateway until its deadline."""
    kept = Load(run=uuid.uuid4().hex[:8], target=site.target)
    (request,) = logs_request(kept, 0, range(RECORDS), padding="x" * BYTES)

    def send(_: int) -> Answer:
        with calls(site.target, "logs") as call:
            return call(request)

    with all_survive(site, but=("kafka-1",)):
        with running(load):
            flow(load)
            with site.away("kafka-1"), ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
                turned_away(load, seconds=60)
                answers = list(pool.map(send, range(2 * AT_ONCE)))
            flow(load, seconds=FLOW_SECONDS)
        note({"answers": Counter(one.code for one in answers)})
        report(load, demand_nothing_lost(site, load))
    assert all(one.retryable for one in answers), Counter(one.error for one in answers if not one.retryable)
