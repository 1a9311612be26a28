"""Kafka and the stores away for a while, under load."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import Report
from tests.support.drills import Site
from tests.support.numbered import Load, running
from tests.support.otlp import SERVICES
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

STORES = ("loki", "prometheus", "jaeger")
LONG_SECONDS = 330.0
"""Longer than the 300 s after which a collector with default settings gives a record up."""


def _passed(seconds: float) -> None:
    end = time.monotonic() + seconds
    until(f"{seconds:g} s to pass", lambda: time.monotonic() > end, seconds=seconds + 5)


@pytest.mark.timeout(900)
@pytest.mark.long
@pytest.mark.parametrize("seconds", [0, 60])
def test_kafka_away(site: Site, load: Load, report: Report, seconds: int) -> None:
    with running(load):
        flow(load)
        site.container("kafka-1").stop(timeout=60)
        for signal in SERVICES:
            until(
                f"a retryable error for {signal}",
                lambda signal=signal: load.tallies[signal].retried,  # type: ignore[misc]
                seconds=60,
            )
        _passed(seconds)
        site.start("kafka-1")
        flow(load)
    report(load, demand_nothing_lost(site, load))


@pytest.mark.timeout(1200)
@pytest.mark.long
@pytest.mark.parametrize(
    ("stores", "seconds"),
    [
        pytest.param(STORES, 10, id="all shortly"),
        pytest.param(STORES, LONG_SECONDS, id="all"),
        *(pytest.param((store,), LONG_SECONDS, id=store) for store in STORES),
    ],
)
def test_stores_away(site: Site, load: Load, report: Report, stores: tuple[str, ...], seconds: float) -> None:
    with running(load):
        flow(load)
        for store in stores:
            site.container(store).stop(timeout=60)
        _passed(seconds)
        flow(load)  # what is acknowledged does not depend on the stores
        for store in stores:
            site.start(store)
        flow(load)
    report(load, demand_nothing_lost(site, load))
