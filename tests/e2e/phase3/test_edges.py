"""Connections that really are, held against those that the network policies allow."""

from __future__ import annotations

from tests.e2e.seen import DNS, PEERLESS, demand_allowed
from tests.support.deployment import ClusterDeployment
from tests.support.numbered import Load

SEEN_SECONDS = 120.0
"""Every program that is scraped is so within 15 s; the rest is a busy machine."""
DATASOURCES = ("jaeger", "prometheus", "loki")


def test_connections_are_those_that_the_policies_allow(deployed: ClusterDeployment, load: Load) -> None:
    site = deployed.site
    seen = demand_allowed(site, load, sources=DATASOURCES, seldom=PEERLESS, seconds=SEEN_SECONDS)
    assert any(edge.port == DNS for edge in seen), "nobody asked for a name"
