"""The autoscaler of the gateways under real load."""

from __future__ import annotations

import uuid

import pytest

from tests.e2e.conftest import Report
from tests.e2e.phase3.conftest import Deployment
from tests.support.kubernetes_site import ClusterSite
from tests.support.numbered import Load, Rates, running
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

SOON_SECONDS = 300.0
"""The metrics API is up to a minute behind, the autoscaler looks every 15 s, a pod starts."""
LATER_SECONDS = 900.0
"""300 s of calm, then one replica a minute."""
BUSY = Rates(logs=3000, metrics=1000, traces=50)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_gateways_follow_the_load(deployed: Deployment, report: Report) -> None:
    deployed.become()
    site = deployed.site
    first = {pod.uid for pod in site.await_ready("otel-gateway", 2)}
    deployed.become(autoscaling={"gateway": {"cpuPercent": 10}})
    assert first == {pod.uid for pod in site.pods("otel-gateway")}, "another bound rolled the gateways"
    load = Load(run=uuid.uuid4().hex[:8], target=site.target, rates=BUSY)
    with running(load):
        flow(load)
        until("more gateways", lambda: _ready(site) > 2, seconds=SOON_SECONDS, pause=2)
        flow(load)
    report(load, demand_nothing_lost(site, load))
    site.await_ready("otel-gateway", 2, seconds=LATER_SECONDS)


def _ready(site: ClusterSite) -> int:
    return sum(pod.ready for pod in site.pods("otel-gateway"))
