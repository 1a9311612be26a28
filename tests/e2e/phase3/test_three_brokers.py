"""Three brokers: whom they talk to, what may be down at once, a rolling restart, one that hangs."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase3.conftest import DATASOURCES, SEEN_SECONDS
from tests.e2e.seen import demand_allowed
from tests.support.counting import watched
from tests.support.deployment import ClusterDeployment
from tests.support.hung_pods import await_restart, frozen
from tests.support.kafka_seen import behind, leader_of
from tests.support.kubernetes_site import READY_SECONDS, ClusterSite
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow, note_pause
from tests.support.waiting import until

BROKERS, IN_SYNC = 3, 2
ROLL_SECONDS = 900


@pytest.fixture
def three(deployed: ClusterDeployment) -> ClusterSite:
    """The stack with three brokers, on one node."""
    deployed.become(kafka={"brokers": BROKERS})
    return deployed.site


@pytest.mark.long
@pytest.mark.timeout(900)
def test_connections_are_those_that_the_policies_allow(three: ClusterSite) -> None:
    load = Load(run="edges3", target=three.target)
    three.await_ready("kafka", BROKERS)
    demand_allowed(three, load, sources=DATASOURCES, seldom={}, seconds=SEEN_SECONDS)


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
    with watched(three, "kafka") as seen, running(load):
        flow(load)
        three.kubectl("rollout", "restart", "statefulset/kafka")
        three.kubectl("rollout", "status", "statefulset/kafka", f"--timeout={ROLL_SECONDS}s")
        flow(load, seconds=READY_SECONDS)
    assert not {pod.uid for pod in before} & {pod.uid for pod in three.pods("kafka")}
    assert min(count for _, count in seen.counts) == IN_SYNC
    report(load, demand_nothing_lost(three, load))


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_leader_that_hangs_is_started_again(three: ClusterSite, report: Report, note: Note) -> None:
    load = Load(run="hung3", target=three.target)
    three.await_ready("kafka", BROKERS)
    with running(load):
        flow(load)
        begin, name = time.time(), leader_of(three)
        pod = next(one for one in three.pods("kafka") if one.name == name)
        with frozen(pod):
            await_restart(three, pod)
        seconds = round(time.time() - begin)
        flow(load, seconds=READY_SECONDS)
        until("all copies to be in sync", lambda: not behind(three), seconds=READY_SECONDS)
    note({"seconds until it was ready again": seconds})
    note_pause(load, note)
    report(load, demand_nothing_lost(three, load, unsure=[(begin, begin)]))
