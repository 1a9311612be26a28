"""Programs of each tier that hang under load: their kubelet ends them and starts them again."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase3.test_pods import SAMPLER
from tests.support.hung_pods import await_restart, frozen
from tests.support.kubernetes_site import ClusterSite
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow

FLOW_SECONDS = 300.0


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "tier", ["otel-gateway", SAMPLER, "kafka", "loki", "prometheus", "jaeger", "grafana"]
)
def test_a_hung_program_is_started_again(
    site: ClusterSite, load: Load, report: Report, note: Note, tier: str
) -> None:
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        begin = time.time()
        pod = site.pods(tier)[0]
        with frozen(pod):
            await_restart(site, pod)
        end = time.time()
        flow(load, seconds=FLOW_SECONDS)
    note({"seconds until it was ready again": round(end - begin)})
    report(load, demand_nothing_lost(site, load, unsure=[(begin, end)] if tier == SAMPLER else []))
