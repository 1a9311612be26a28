"""Connections of phase 4 that really exist, compared with those that the network policies allow."""

from __future__ import annotations

import pytest

from tests.e2e.phase4.conftest import Deployment
from tests.e2e.seen import PEERLESS, demand_allowed
from tests.e2e.tried import demand_nothing_else
from tests.support.numbered import Load

SEEN_SECONDS = 240.0
"""Programs are scraped every 15 s, rulers query and report every minute; the rest is for a busy machine."""
DATASOURCES = ("tempo", "mimir", "loki")
MEMBERS = ("mimir", "tempo", "loki-cluster", "grafana")
"""Their replicas find each other by the headless Service, and then by address."""
BESIDES = {"postgres-backup -> postgres:5432": "host and port are variables of their own"}
WRITERS = {"mimir", "loki-cluster"}
"""Stores that access their bucket every minute; Tempo does every few."""

SELDOM = {
    **PEERLESS,
    "postgres-backup -> postgres:5432": "once a day",
}
"""Connections for which a young and healthy stack has no cause, and why."""


@pytest.mark.long
def test_connections_are_those_that_the_policies_allow(deployed: Deployment, load: Load) -> None:
    demand_allowed(
        deployed.site,
        load,
        sources=DATASOURCES,
        seldom=SELDOM,
        seconds=SEEN_SECONDS,
        leaving=WRITERS,
    )


def test_policies_let_through_what_programs_need_and_nothing_else(deployed: Deployment) -> None:
    demand_nothing_else(deployed.site, members=MEMBERS, besides=BESIDES)
