"""Nodes that are drained, lose their kubelet, or are lost, under load.

There are two, with kubelets and networks of their own. Both see the same volumes, as on a storage network; a
machine that is really lost takes with it what its memory had not written yet.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.lab.cluster import layout, lifecycle, runtime, second
from tests.support.counting import watched
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import READY_SECONDS, ClusterSite, Pod, program_of
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

FIRST, SECOND = layout.FIRST.name, layout.SECOND.name
TOLERATED = {"key": layout.TAINT, "operator": "Exists", "effect": "NoSchedule"}
SAMPLER, BROKER = "otel-processor", "kafka"
"""What a trace waits for: one that is away also holds up what the others read."""
SEVERAL = {BROKER, "otel-gateway", SAMPLER}
"""Programs of several pods, of which each node has some."""
STORES = ("jaeger", "prometheus", "loki")
"""Programs of one pod, which the node that fails has too."""
BROKERS = 3
DRAIN_SECONDS = 600
FLOW_SECONDS = 300.0
NOTICED_SECONDS = 120.0
"""A node whose kubelet is silent for 50 s counts as lost."""
EVICTED_SECONDS = 420.0
"""Pods stay on a lost node for 300 s, which is Kubernetes' default."""
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"


@pytest.fixture
def site(request: pytest.FixtureRequest, deployed: ClusterDeployment) -> ClusterSite:
    """Where load goes: to the stack on two nodes if the test wants that, else to the original one."""
    if "two_nodes" not in request.fixturenames and deployed.is_another():
        deployed.become()
    return deployed.site


@pytest.fixture(scope="module")
def two_nodes(deployed: ClusterDeployment) -> Iterator[ClusterSite]:
    """The stack with three brokers, on two nodes; afterwards there is one, and no stack."""
    with lifecycle.lock():
        second.up(lifecycle.images(phase=3))
    try:
        placed = {"storageClass": "shared", "tolerations": [TOLERATED]}
        deployed.become(kafka={"brokers": BROKERS}, kubernetes=placed)
        yield deployed.site
    finally:
        deployed.remove()
        with lifecycle.lock():
            second.down()


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_every_container_killed_behind_the_kubelets_back(
    site: ClusterSite, load: Load, report: Report
) -> None:
    wanted = _programs(site)
    with watched(site, SAMPLER, BROKER) as seen, running(load):
        flow(load, seconds=FLOW_SECONDS)
        for pod in site.pods():
            restarts = pod.restarts
            runtime.kill_container(pod.container)
            until(
                f"{pod.name} to be started again",
                lambda pod=pod, restarts=restarts: _restarts(site, pod) > restarts,  # type: ignore[misc]
                seconds=READY_SECONDS,
            )
        _await_programs(site, wanted)
        flow(load, seconds=FLOW_SECONDS)
    report(load, demand_nothing_lost(site, load, unsure=seen.moves))


@contextmanager
def second_node_load(site: ClusterSite, load: Load, report: Report) -> Iterator[list[Pod]]:
    """Run load throughout what happens to the second node, and give its pods; nothing may be lost."""
    _move_stores(site)
    there = _on(site, SECOND)
    assert {program_of(pod) for pod in there} >= {*SEVERAL, *STORES}
    with watched(site, SAMPLER, BROKER) as seen, running(load):
        flow(load, seconds=FLOW_SECONDS)
        yield there
    report(load, demand_nothing_lost(site, load, unsure=seen.moves))


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_a_drained_node_loses_nothing_acknowledged(
    two_nodes: ClusterSite, load: Load, report: Report, note: Note
) -> None:
    wanted = _programs(two_nodes)
    with second_node_load(two_nodes, load, report) as there:
        begin = time.time()
        two_nodes.cluster.kubectl("drain", SECOND, "--delete-emptydir-data", f"--timeout={DRAIN_SECONDS}s")
        assert not _on(two_nodes, SECOND)
        note({"drained": sorted(pod.name for pod in there), "seconds": round(time.time() - begin)})
        _await_programs(two_nodes, wanted)
        flow(load, seconds=FLOW_SECONDS)
        two_nodes.cluster.kubectl("uncordon", SECOND)
        _restart(two_nodes)
        flow(load, seconds=FLOW_SECONDS)
        assert {program_of(pod) for pod in _on(two_nodes, SECOND)} >= SEVERAL


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_a_lost_node_loses_nothing_acknowledged(
    two_nodes: ClusterSite, load: Load, report: Report, note: Note
) -> None:
    wanted = _programs(two_nodes)
    with second_node_load(two_nodes, load, report) as there:
        begin = time.time()
        second.kill_kubelet()
        flow(load, seconds=FLOW_SECONDS)
        until("the node to count as lost", lambda: not second.is_ready(), seconds=NOTICED_SECONDS, pause=1)
        noticed = time.time()
        flow(load, seconds=FLOW_SECONDS)
        until(
            "its gateways elsewhere", lambda: _elsewhere(two_nodes, "otel-gateway"), seconds=EVICTED_SECONDS
        )
        evicted = time.time()
        flow(load, seconds=FLOW_SECONDS)
        # Its brokers stay there, since they may still run, until an operator says that the machine is off.
        second.power_off()
        two_nodes.cluster.kubectl("taint", "node", SECOND, OUT_OF_SERVICE)
        _await_programs(two_nodes, wanted)
        flow(load, seconds=FLOW_SECONDS)
        note(
            {
                "lost": sorted(pod.name for pod in there),
                "seconds until": {
                    "not ready": round(noticed - begin),
                    "gateways elsewhere": round(evicted - begin),
                    "everything elsewhere": round(time.time() - begin),
                },
            }
        )


def _restart(site: ClusterSite) -> None:
    """Restart programs of several pods, one pod after the other: they spread over the nodes again."""
    for kind in ("deployment/otel-gateway", "statefulset/otel-processor", "statefulset/kafka"):
        site.kubectl("rollout", "restart", kind)
        site.kubectl("rollout", "status", kind, f"--timeout={DRAIN_SECONDS}s")


def _move_stores(site: ClusterSite) -> None:
    """Start those stores on the second node that are on the first."""
    wanted = _programs(site)
    site.cluster.kubectl("cordon", FIRST)
    try:
        for pod in _on(site, FIRST):
            if program_of(pod) in STORES:
                site.kubectl("delete", "pod", pod.name)
        _await_programs(site, wanted)
    finally:
        site.cluster.kubectl("uncordon", FIRST)


def _on(site: ClusterSite, node: str) -> list[Pod]:
    return [pod for pod in site.pods() if pod.spec.get("nodeName") == node]


def _elsewhere(site: ClusterSite, program: str) -> bool:
    """Tell whether a program has all its ready pods on the first node."""
    found = [pod for pod in site.pods(program) if pod.ready]
    return len(found) > 1 and {pod.spec.get("nodeName") for pod in found} == {FIRST}


def _programs(site: ClusterSite) -> dict[str, int]:
    """Count the ready pods of each program."""
    found: dict[str, int] = {}
    for pod in site.pods():
        found[program_of(pod)] = found.get(program_of(pod), 0) + pod.ready
    return found


def _await_programs(site: ClusterSite, wanted: dict[str, int]) -> None:
    def are_there() -> bool:
        found = _programs(site)
        return all(found.get(name, 0) >= count for name, count in wanted.items())

    until("every program to be back", are_there, seconds=READY_SECONDS * 2, pause=1)


def _restarts(site: ClusterSite, pod: Pod) -> int:
    return next((one.restarts for one in site.pods() if one.uid == pod.uid), 0)
