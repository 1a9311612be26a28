"""Pods of each tier deleted under load, gently and by force, one at a time and a whole tier at once."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import Report
from tests.support.kubernetes_site import ClusterSite
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow

SAMPLER = "otel-processor"
TIERS = ("otel-gateway", SAMPLER, "kafka", "loki", "prometheus", "jaeger", "grafana")
SHORT = {("otel-gateway", True)}
FLOW_SECONDS = 300.0
"""A single deleted broker starts again, and clients wait for it."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("tier", "force"),
    [
        pytest.param(
            tier,
            force,
            id=f"{tier} {'forced' if force else 'asked'}",
            marks=[] if (tier, force) in SHORT else pytest.mark.long,
        )
        for tier in TIERS
        for force in (False, True)
    ],
)
def test_deleted_pod_loses_nothing_acknowledged(
    site: ClusterSite, load: Load, report: Report, tier: str, force: bool
) -> None:
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        begin = time.time()
        site.delete(site.pods(tier)[0], force=force)
        unsure = [(begin, time.time())] if tier == SAMPLER else []
        flow(load, seconds=FLOW_SECONDS)
    report(load, demand_nothing_lost(site, load, unsure=unsure))


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tier", ["otel-gateway", SAMPLER])
def test_a_whole_tier_gone_at_once_loses_nothing_acknowledged(
    site: ClusterSite, load: Load, report: Report, tier: str
) -> None:
    with running(load):
        flow(load)
        begin = time.time()
        site.delete(*site.pods(tier), force=True)
        unsure = [(begin, time.time())] if tier == SAMPLER else []
        flow(load, seconds=FLOW_SECONDS)
    report(load, demand_nothing_lost(site, load, unsure=unsure))
