"""``pulumi up`` under load: new settings roll the pods that they concern, fewer replicas lose nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Report
from tests.support.counting import watched
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import ClusterSite, uids
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow

PROCESSOR = "otel-processor"
SCALED = ("otel-gateway", PROCESSOR)
FEWER_SECONDS = 480.0
"""The autoscaler may remember for 300 s that more were needed, and removes one a minute."""


def _rolled(before: dict[str, set[str]], site: ClusterSite) -> set[str]:
    """Programs that lost a pod; where an autoscaler may have removed one meanwhile, that lost all of them."""
    now = {pod.uid for pod in site.pods()}
    return {name for name, pods in before.items() if not (pods & now if name in SCALED else pods <= now)}


def test_another_bound_of_an_autoscaler_rolls_nothing(deployed: ClusterDeployment) -> None:
    deployed.become()
    before = uids(deployed.site)
    deployed.become(autoscaling={"gateway": {"cpuPercent": 60}})
    assert _rolled(before, deployed.site) == set()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("sections", "rolled"),
    [
        pytest.param({"sampling": {"keepPercent": 20}}, PROCESSOR, id="sampling"),
        pytest.param(
            {"ingest": {"maxConcurrentStreams": 90}}, "otel-gateway", id="ingest", marks=pytest.mark.long
        ),
    ],
)
def test_new_settings_roll_their_own_pods_only(
    deployed: ClusterDeployment, load: Load, report: Report, sections: dict[str, Any], rolled: str
) -> None:
    deployed.become()
    before = uids(deployed.site)
    with watched(deployed.site, PROCESSOR) as seen, running(load):
        flow(load)
        deployed.become(**sections)
        flow(load)
    assert _rolled(before, deployed.site) == {rolled}
    report(load, demand_nothing_lost(deployed.site, load, unsure=seen.moves))


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("tier", ["gateway", "processor"])
def test_fewer_replicas_lose_nothing_acknowledged(
    deployed: ClusterDeployment, load: Load, report: Report, tier: str
) -> None:
    site, program = deployed.site, f"otel-{tier}"
    deployed.become(sizing={tier: {"replicas": 3}})
    site.await_ready(program, 3)
    with watched(site, PROCESSOR) as seen, running(load):
        flow(load)
        deployed.become()
        site.await_ready(program, 2, seconds=FEWER_SECONDS)
        flow(load)
    report(load, demand_nothing_lost(site, load, unsure=seen.moves))
