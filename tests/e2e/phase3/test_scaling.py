"""The autoscaler of the gateways under real load."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support.counting import since, watched
from tests.support.deployment import ClusterDeployment
from tests.support.numbered import Load, Rates
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

GATEWAY = "otel-gateway"
SOON_SECONDS = 300.0
"""The metrics API is up to a minute behind, the autoscaler checks every 15 s, a pod starts."""
LATER_SECONDS = 900.0
"""300 s of calm, then one replica a minute."""
CALM_SECONDS = 200.0
"""A replica stays for 300 s after the autoscaler last wanted it, which may be before the load has ended."""
WEAK = {"gateway": {"cpus": 0.25}}
"""Weak enough for one load on two cores to make it busy."""
BUSY = Rates(logs=3000, metrics=1000, traces=50)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_gateways_follow_the_load(deployed: ClusterDeployment, report: Report, note: Note) -> None:
    deployed.become(sizing=WEAK)
    site = deployed.site
    first = {pod.uid for pod in site.await_ready(GATEWAY, 2)}
    deployed.become(sizing=WEAK, autoscaling={"gateway": {"cpuPercent": 10}})
    assert first == {pod.uid for pod in site.pods(GATEWAY)}, "another bound rolled the gateways"
    load = Load(run=uuid.uuid4().hex[:8], target=site.target, rates=BUSY)
    with watched(site, GATEWAY) as seen:
        with running(load):
            flow(load)
            until("more gateways", lambda: site.ready(GATEWAY) > 2, seconds=SOON_SECONDS, pause=2)
            flow(load)
        calm = time.time() - load.started
        report(load, demand_nothing_lost(site, load))
        site.await_ready(GATEWAY, 2, seconds=LATER_SECONDS)
    counts = seen.counts
    note(
        {"ready gateways by second of the load": since(counts, load.started), "seconds of load": round(calm)}
    )
    fewer = next(
        second for (second, count), (_, before) in zip(counts[1:], counts, strict=False) if count < before
    )
    assert fewer - load.started - calm > CALM_SECONDS, "the first one went too early"
