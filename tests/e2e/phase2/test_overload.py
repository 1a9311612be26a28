"""More of every signal than the stack can take: clients are slowed down, no program dies of it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support.docker_site import Site
from tests.support.filling import fill_all
from tests.support.numbered import Load
from tests.support.numbered_requests import logs_request
from tests.support.numbered_sending import running
from tests.support.otlp import Answer, calls
from tests.support.steady import demand_nothing_lost, flow, lag_gone, longest_pause, turned_away

STORES = ("loki", "prometheus", "jaeger")
OVERLOAD_SECONDS = 60.0
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
    before = site.lives()
    with running(load):
        flow(load)
        with ExitStack() as away:
            for store in stores:
                away.enter_context(site.away(store))
            note({"beside it": fill_all(site.target, seconds=OVERLOAD_SECONDS)})
            flow(load, seconds=FLOW_SECONDS)
        flow(load, seconds=FLOW_SECONDS)
    note({"seconds without an OK": round(longest_pause(load), 1)})
    lag_gone(site, READ_SECONDS)
    report(load, demand_nothing_lost(site, load))
    demand_alive(site, before, stores)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_many_large_calls_at_once_while_kafka_is_away(
    site: Site, load: Load, report: Report, note: Note
) -> None:
    """As of agents that send what they have kept; each stays with a gateway until its deadline."""
    before = site.lives()
    kept = Load(run=uuid.uuid4().hex[:8], target=site.target)
    (request,) = logs_request(kept, 0, range(RECORDS), padding="x" * BYTES)

    def send(_: int) -> Answer:
        with calls(site.target, "logs") as call:
            return call(request)

    with running(load):
        flow(load)
        with site.away("kafka-1"), ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            turned_away(load, seconds=60)
            answers = list(pool.map(send, range(2 * AT_ONCE)))
        flow(load, seconds=FLOW_SECONDS)
    note({"answers": Counter(one.code for one in answers)})
    report(load, demand_nothing_lost(site, load))
    assert all(one.retryable for one in answers), Counter(one.error for one in answers if not one.retryable)
    demand_alive(site, before, ("kafka-1",))


def demand_alive(site: Site, before: Mapping[str, str], stopped: Collection[str]) -> None:
    """Require that no program has been started again, except those that the drill stopped."""
    ended = {name for name, life in site.lives().items() if life != before[name] and name not in stopped}
    assert not ended, f"died of it: {ended}"
