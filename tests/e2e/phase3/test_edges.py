"""Connections that really exist, compared with those that the network policies allow."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import pytest

from tests.e2e.phase3.conftest import DATASOURCES, SEEN_SECONDS
from tests.e2e.seen import DNS, PEERLESS, demand_allowed
from tests.e2e.tried import demand_nothing_else
from tests.support import client_pods
from tests.support.connections import listening, processes_of
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import Pod, program_of
from tests.support.numbered import Load
from tests.support.reaching import opened
from tests.support.waiting import until

KNOWN_SECONDS = 60.0
"""The network learns of new pods and policies within seconds."""
LABEL = "otel-stack.example/audience"
REACH = {
    "clients": {"otel-gateway:4317", "otel-gateway:4318", "grafana:3000"},
    "readers": {"jaeger:16686", "prometheus:9090", "loki:3100"},
    "others": set(),
}
"""Value of the label on a namespace -> what it can connect to."""


def test_connections_are_those_that_the_policies_allow(deployed: ClusterDeployment, load: Load) -> None:
    site = deployed.site
    seen = demand_allowed(site, load, sources=DATASOURCES, seldom=PEERLESS, seconds=SEEN_SECONDS)
    assert any(edge.port == DNS for edge in seen), "nobody asked for a name"


def test_policies_let_through_what_programs_need_and_nothing_else(deployed: ClusterDeployment) -> None:
    demand_nothing_else(deployed.site)


@pytest.mark.long
def test_namespaces_reach_what_their_labels_are_for(deployed: ClusterDeployment) -> None:
    deployed.become(kubernetes={key: {LABEL: key} for key in ("clients", "readers")})
    with ExitStack() as pods:
        waiting = {
            name: pods.enter_context(client_pods.waiting(deployed.cluster, {LABEL: name})) for name in REACH
        }

        def has_its_own_alone() -> bool:
            assert _reach(deployed, waiting) == REACH
            return True

        until(
            "each namespace to reach its own alone",
            has_its_own_alone,
            seconds=KNOWN_SECONDS,
            forgive=(AssertionError,),
        )
    deployed.become()


def _reach(deployed: ClusterDeployment, waiting: Mapping[str, Pod]) -> Mapping[str, set[str]]:
    """Give what each pod's namespace can connect to, as ``program:port``."""
    processes = processes_of(pod.uid for pod in deployed.site.pods() + list(waiting.values()))
    ends = {
        (pod.address, port): f"{program_of(pod)}:{port}"
        for pod in deployed.site.pods()
        for port in listening(processes[pod.uid])
    }
    return {name: {ends[end] for end in opened(processes[pod.uid], ends)} for name, pod in waiting.items()}
