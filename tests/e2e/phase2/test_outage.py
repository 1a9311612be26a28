"""Kafka and the stores down for a while, under load."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import Report
from tests.support.docker_site import STORES, Site
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import LONG_SECONDS, demand_nothing_lost, flow, turned_away


@pytest.mark.timeout(900)
@pytest.mark.long
@pytest.mark.parametrize("seconds", [0, 60])
def test_kafka_away(site: Site, load: Load, report: Report, seconds: int) -> None:
    with running(load):
        flow(load)
        with site.away("kafka-1"):
            turned_away(load, seconds=60)
            time.sleep(seconds)
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
        with site.away(*stores):
            time.sleep(seconds)
            flow(load)  # what is acknowledged does not depend on the stores
        flow(load)
    report(load, demand_nothing_lost(site, load))
