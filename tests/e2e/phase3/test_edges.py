"""Connections that really are, held against those that the network policies allow."""

from __future__ import annotations

from collections.abc import Iterator

from tests.e2e.phase3.conftest import NAMESPACE
from tests.e2e.seen import DNS, KINDS, ask_grafana, seen_edges
from tests.kubernetes.edges import OUTSIDE, Edge, allowed, used
from tests.support.deployment import ClusterDeployment
from tests.support.drills import lag_of
from tests.support.manifests import Program, Tree
from tests.support.numbered import Load, running
from tests.support.steady import flow
from tests.support.waiting import until

SEEN_SECONDS = 120.0
"""Every program that is scraped is so within 15 s; the rest is a busy machine."""
DATASOURCES = ("jaeger", "prometheus", "loki")


def test_connections_are_those_that_the_policies_allow(deployed: ClusterDeployment, load: Load) -> None:
    site = deployed.site
    tree = Tree(objects=deployed.cluster.get(KINDS, f"--namespace={NAMESPACE}")["items"])
    wanted = {edge for edge in used(tree) if OUTSIDE not in (edge.source, edge.target)} - _among_peers(tree)
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
    assert any(edge.port == DNS for edge in seen), "nobody asked for a name"


def _among_peers(tree: Tree) -> set[Edge]:
    """Give what a broker would have to do with others, were it not alone."""
    return {Edge("kafka", "kafka", port) for port, _ in next(_programs(tree, "kafka")).ports}


def _programs(tree: Tree, name: str) -> Iterator[Program]:
    return (program for program in tree.programs() if program.name == name)
