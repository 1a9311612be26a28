"""Three brokers: what may be down at once, and a rolling restart, under load."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Report
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import READY_SECONDS, ClusterSite
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow

BROKERS = 3
ROLL_SECONDS = 900


@pytest.fixture
def three(deployed: ClusterDeployment) -> ClusterSite:
    """The stack with three brokers, on one node."""
    deployed.become(kafka={"brokers": BROKERS})
    return deployed.site


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(("program", "count"), [("kafka", BROKERS), ("otel-gateway", 2)])
def test_a_second_pod_may_not_be_evicted(
    three: ClusterSite, report: Report, program: str, count: int
) -> None:
    load = Load(run=f"evict{count}", target=three.target)
    first, second, *_ = three.await_ready(program, count)
    with running(load):
        flow(load)
        assert three.evict(first) == ""
        refusal = three.evict(second)
        assert "disruption budget" in refusal, refusal
        three.await_replaced(first, count)
        flow(load, seconds=READY_SECONDS)
    report(load, demand_nothing_lost(three, load))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_brokers_restarted_one_after_the_other(three: ClusterSite, report: Report) -> None:
    load = Load(run="rolling", target=three.target)
    before = three.await_ready("kafka", BROKERS)
    with running(load):
        flow(load)
        three.kubectl("rollout", "restart", "statefulset/kafka")
        three.kubectl("rollout", "status", "statefulset/kafka", f"--timeout={ROLL_SECONDS}s")
        flow(load, seconds=READY_SECONDS)
    assert not {pod.uid for pod in before} & {pod.uid for pod in three.pods("kafka")}
    report(load, demand_nothing_lost(three, load))
