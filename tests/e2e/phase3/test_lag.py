"""Processors that KEDA scales by what they still have to read."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support.counting import since, watched
from tests.support.deployment import ClusterDeployment
from tests.support.filling import fill
from tests.support.kubernetes_site import ClusterSite
from tests.support.numbered import Load, Rates
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

PROCESSOR, LEAST, MOST = "otel-processor", 2, 4
BY_LAG = {"autoscaling": {"lag": "keda", "lagThreshold": 100, "processor": {"maximum": MOST}}}
"""A Kafka record of logs is a quarter MiB under load: few of them are many."""
FILL_SECONDS = 30.0
SOON_SECONDS = 180.0
LATER_SECONDS = 900.0
"""300 s of calm, then one replica a minute."""
AWAY_SECONDS = 120.0
"""KEDA and the autoscaler each check every 15 s."""


@pytest.fixture(scope="module")
def by_lag(deployed: ClusterDeployment, scaler: None) -> Iterator[ClusterDeployment]:  # noqa: ARG001
    """The stack, first scaled by CPU and then by lag; by CPU again before KEDA goes."""
    deployed.become()
    deployed.become(**BY_LAG)
    yield deployed
    deployed.become()


@pytest.fixture
def site(by_lag: ClusterDeployment) -> ClusterSite:
    """The stack, with no more processors than it must have."""
    by_lag.site.await_ready(PROCESSOR, LEAST, seconds=LATER_SECONDS)
    return by_lag.site


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_processors_follow_the_lag_and_lose_nothing(
    site: ClusterSite, load: Load, report: Report, note: Note
) -> None:
    with watched(site, PROCESSOR) as seen:
        with running(load):
            flow(load)
            sent = fill(site.target, "logs", seconds=FILL_SECONDS)
            until("more processors", lambda: site.ready(PROCESSOR) == MOST, seconds=SOON_SECONDS, pause=2)
            flow(load)
        site.await_ready(PROCESSOR, LEAST, seconds=LATER_SECONDS)
    report(load, demand_nothing_lost(site, load, unsure=seen.moves))
    note({"logs at once": sent, "ready processors by second of the load": since(seen.counts, load.started)})
    assert max(count for _, count in seen.counts) == MOST


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_store_that_is_away_brings_no_more_processors(
    site: ClusterSite, report: Report, note: Note
) -> None:
    load = Load(run=uuid.uuid4().hex[:8], target=site.target, rates=Rates(logs=400))
    with watched(site, PROCESSOR) as seen, running(load):
        flow(load)
        site.kubectl("scale", "statefulset/loki", "--replicas=0")
        try:
            time.sleep(AWAY_SECONDS)
            away = list(seen.counts)
        finally:
            site.kubectl("scale", "statefulset/loki", "--replicas=1")
        site.await_ready("loki", 1)
        flow(load)
    note({"ready processors while Loki was away": since(away, load.started)})
    assert {count for _, count in away} == {LEAST}
    # What has piled up is read at once, which may well bring more.
    report(load, demand_nothing_lost(site, load, unsure=seen.moves))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_paused_it_leaves_the_processors_away(site: ClusterSite) -> None:
    """As in docs/phase4.md, when Tempo's disk will not last."""
    pause = "autoscaling.keda.sh/paused-replicas"
    site.kubectl("annotate", "scaledobject", PROCESSOR, f"{pause}=0")
    until("no processor", lambda: not site.pods(PROCESSOR), seconds=SOON_SECONDS)
    site.kubectl("annotate", "scaledobject", PROCESSOR, f"{pause}-")
    site.await_least(PROCESSOR, LEAST)
