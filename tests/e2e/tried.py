"""Connections tried from a stack's pods: those that its programs need succeed, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.e2e.seen import DNS, KINDS
from tests.kubernetes.edges import OUTSIDE, Edge, from_everybody, used
from tests.support.kubernetes_site import ClusterSite, pod_of, program_of
from tests.support.manifests import Tree
from tests.support.reaching import reached

OTHERS = "kube-system"
"""Namespace of the pods that stand for everybody outside: CoreDNS and metrics-server."""


def demand_nothing_else(
    site: ClusterSite, *, members: Iterable[str] = (), besides: Mapping[str, str] | None = None
) -> None:
    """Try every port that listens, from everywhere.

    Args:
        members: programs whose replicas find each other at run time, at any of their ports.
        besides: connections that the texts do not show, as ``source -> target:port``, and why.

    Raises:
        AssertionError: naming connections that a program needs and cannot open, and those that opened though
            no program needs them.
    """
    tree = Tree(objects=site.cluster.get(KINDS, f"--namespace={site.namespace}")["items"])
    pods = [pod for pod in site.pods() if pod.ready]
    others = site.cluster.get("pods", f"--namespace={OTHERS}")["items"]
    names = [program_of(pod) for pod in pods]
    needed = {edge for edge in used(tree) if OUTSIDE not in (edge.source, edge.target)}
    needed |= from_everybody(tree) | {Edge(name, OUTSIDE, DNS) for name in names}
    alone = {edge for edge in needed if edge.source == edge.target and names.count(edge.source) == 1}
    found = reached(pods, [pod_of(one) for one in others])
    lacking, surplus = needed - alone - found, found - needed
    ring, unseen = set(members), set(besides or {})
    surplus = {
        edge
        for edge in surplus
        if not (edge.source == edge.target and edge.source in ring) and str(edge) not in unseen
    }
    assert not lacking, f"cannot be opened: {', '.join(map(str, sorted(lacking)))}"
    assert not surplus, f"can be opened: {', '.join(map(str, sorted(surplus)))}"
