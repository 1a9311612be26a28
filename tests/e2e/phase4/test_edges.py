"""Connections of phase 4 that really are, held against those that the network policies allow."""

from __future__ import annotations

from tests.e2e.phase4.conftest import Deployment
from tests.e2e.seen import DNS, KINDS, ask_grafana, seen_edges
from tests.kubernetes.edges import OUTSIDE, Edge, allowed, used
from tests.support.drills import lag_of
from tests.support.manifests import Tree
from tests.support.numbered import Load, running
from tests.support.steady import flow
from tests.support.waiting import until

SEEN_SECONDS = 240.0
"""Programs are scraped each 15 s, rulers ask and tell each minute; the rest is a busy machine."""
DATASOURCES = ("tempo", "mimir", "loki")
WRITERS = {"mimir", "loki-cluster"}
"""Stores that are at their bucket all the time; Tempo is so each few minutes."""

SELDOM = {
    "kafka -> kafka:9092": "one broker has no other",
    "kafka -> kafka:9093": "one broker has no other",
    "loki-cluster -> mimir:9009": "Loki tells the Alertmanager of alerts, and none fires",
    "postgres-backup -> postgres:5432": "once a day",
}
"""Connections that a young and healthy stack has no cause for, and why."""


def test_connections_are_those_that_the_policies_allow(deployed: Deployment, load: Load) -> None:
    site = deployed.site
    tree = Tree(objects=deployed.cluster.get(KINDS, f"--namespace={deployed.namespace}")["items"])
    inside = {edge for edge in used(tree) if OUTSIDE not in (edge.source, edge.target)}
    wanted = {edge for edge in inside if str(edge) not in SELDOM}
    seen: set[Edge] = set()

    def are_all_seen() -> bool:
        seen.update(seen_edges(site))
        assert wanted <= seen, f"not seen: {', '.join(map(str, sorted(wanted - seen)))}"
        return True

    with running(load):
        flow(load)
        ask_grafana(site, DATASOURCES)
        lag_of(site)  # by tools of the pod that makes the topics
        what = "every connection that the texts ask for"
        until(what, are_all_seen, seconds=SEEN_SECONDS, pause=1, forgive=(AssertionError,))
    egress, ingress = allowed(tree, "Egress"), allowed(tree, "Ingress")
    assert {edge for edge in seen if edge.source != OUTSIDE} <= egress
    assert {edge for edge in seen if edge.target != OUTSIDE} <= ingress
    assert {edge.source for edge in seen if edge.target == OUTSIDE and edge.port != DNS} >= WRITERS
