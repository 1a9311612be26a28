"""Connections of phase 4 that really are, held against those that the network policies allow."""

from __future__ import annotations

from tests.e2e.phase4.conftest import Deployment
from tests.e2e.seen import DNS, PEERLESS, demand_allowed
from tests.kubernetes.edges import OUTSIDE
from tests.support.numbered import Load

SEEN_SECONDS = 240.0
"""Programs are scraped each 15 s, rulers ask and tell each minute; the rest is a busy machine."""
DATASOURCES = ("tempo", "mimir", "loki")
WRITERS = {"mimir", "loki-cluster"}
"""Stores that are at their bucket all the time; Tempo is so each few minutes."""

SELDOM = {
    **PEERLESS,
    "loki-cluster -> mimir:9009": "Loki tells the Alertmanager of alerts, and none fires",
    "postgres-backup -> postgres:5432": "once a day",
}
"""Connections that a young and healthy stack has no cause for, and why."""


def test_connections_are_those_that_the_policies_allow(deployed: Deployment, load: Load) -> None:
    site = deployed.site
    seen = demand_allowed(site, load, sources=DATASOURCES, seldom=SELDOM, seconds=SEEN_SECONDS)
    assert {edge.source for edge in seen if edge.target == OUTSIDE and edge.port != DNS} >= WRITERS
