"""From phase 3 to phase 4 on a running stack, under load that continues at the same address."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.e2e.conftest import Report
from tests.e2e.phase4.conftest import NAMESPACE, Deployment
from tests.support.counting import watched
from tests.support.kubernetes_site import ClusterSite
from tests.support.numbered import Load, Rates
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow
from tests.support.stored import compare, logs_of, samples_of

SAMPLERS = ("otel-processor", "otel-processor-phase3")
OLD = ("jaeger", "prometheus", "loki")
FLOW_SECONDS = 300.0


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["tail", "none"])
def test_phase_three_becomes_phase_four(deployed: Deployment, report: Report, mode: str) -> None:
    sampling = {"mode": mode}
    stack = deployed.stack
    # What destroy leaves would keep Grafana's administrator with the password of the stack before.
    deployed.remove()
    deployed.minio.give_credentials(NAMESPACE)
    stack.config = _phase_three(deployed, sampling)
    stack.up()
    old = ClusterSite(cluster=deployed.cluster, namespace=NAMESPACE)
    load = Load(run=uuid.uuid4().hex[:8], target=old.target, rates=Rates())
    with watched(old, *SAMPLERS) as seen, running(load):
        flow(load, seconds=FLOW_SECONDS)
        deployed.become(stores={"phase3": "written"}, sampling=sampling)
        flow(load, seconds=FLOW_SECONDS)
    unsure = seen.moves if mode == "tail" else []
    report(load, demand_nothing_lost(old, load, unsure=unsure))
    report(load, demand_nothing_lost(deployed.site, load, unsure=unsure))

    deployed.become(stores={"phase3": "readable"}, sampling=sampling)
    later = Load(run=uuid.uuid4().hex[:8], target=old.target, rates=Rates())
    with running(later):
        flow(later, seconds=FLOW_SECONDS)
    report(later, demand_nothing_lost(deployed.site, later))
    assert not compare(load, "logs", logs_of(old, load)).missing
    assert not compare(load, "metrics", samples_of(old, load)).missing
    assert not logs_of(old, later), "the old Loki still accepts records"

    deployed.become(sampling=sampling)
    assert not [pod.name for name in OLD for pod in old.pods(name)]
    claims = deployed.cluster.get("pvc", f"--namespace={NAMESPACE}")["items"]
    kept = {claim["metadata"]["name"] for claim in claims}
    assert {f"{name}-data-{name}-1" for name in OLD} <= kept
    assert {name for name in kept if name.startswith("grafana-")} == {"grafana-data-grafana-1"}


def _phase_three(deployed: Deployment, sampling: dict[str, str]) -> dict[str, Any]:
    """Settings of the stack before it has object storage."""
    given = deployed.settings(sampling=sampling)
    settings = {name: value for name, value in given.items() if name != "objectStorage"}
    return {**settings, "phase": 3}
