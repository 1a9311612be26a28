"""Connections that really are, held against those that the network policies allow."""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Iterator

import httpx

from tests.e2e.phase3.conftest import NAMESPACE
from tests.kubernetes.edges import OUTSIDE, Edge, allowed, used
from tests.lab.cluster import layout
from tests.support.connections import over_tcp, over_udp
from tests.support.deployment import ClusterDeployment
from tests.support.drills import lag_of
from tests.support.kubernetes_site import ClusterSite
from tests.support.manifests import Program, Tree
from tests.support.numbered import Load, running
from tests.support.steady import flow
from tests.support.waiting import until

DNS = 53
KINDS = "deployments,statefulsets,services,configmaps,networkpolicies"
SEEN_SECONDS = 120.0
"""Every program that is scraped is so within 15 s; the rest is a busy machine."""
DATASOURCES = ("jaeger", "prometheus", "loki")


def test_connections_are_those_that_the_policies_allow(deployed: ClusterDeployment, load: Load) -> None:
    site = deployed.site
    tree = Tree(objects=deployed.cluster.get(KINDS, f"--namespace={NAMESPACE}")["items"])
    wanted = {edge for edge in used(tree) if OUTSIDE not in (edge.source, edge.target)} - _among_peers(tree)
    seen: set[Edge] = set()

    def are_all_seen() -> bool:
        seen.update(_edges(site))
        assert wanted <= seen, f"not seen: {', '.join(map(str, sorted(wanted - seen)))}"
        return True

    with running(load):
        flow(load)
        _ask_grafana(site)
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


def _edges(site: ClusterSite) -> set[Edge]:
    """Name the ends of the connections that the stack's pods have.

    Left out are the node's own, for Kubernetes lets its kubelet in, and this test's load comes from there;
    and what is left of connections with pods that are gone.
    """
    pods = [pod for pod in site.pods() if pod.address]
    names = {pod.address: str(pod.spec["containers"][0]["name"]) for pod in pods}
    names |= {address: name for name, address in site.services.items() if address != "None"}
    everywhere = site.cluster.get("pods", "--all-namespaces")["items"]
    present = {one["status"].get("podIP") for one in everywhere}
    found = over_tcp({pod.uid: pod.address for pod in pods}) | over_udp(DNS)
    return {
        Edge(names.get(one.source, OUTSIDE), names.get(one.target, OUTSIDE), one.port)
        for one in found
        if (one.source in names or one.target in names)
        and all(_is_there(end, present) for end in (one.source, one.target))
        and one.source != layout.NODE_ADDRESS
    }


def _is_there(address: str, pods: set[str]) -> bool:
    inside = ipaddress.ip_address(address) in ipaddress.ip_network(layout.POD_NETWORK)
    return not inside or address in pods or address == layout.NODE_ADDRESS


def _ask_grafana(site: ClusterSite) -> None:
    """Make Grafana ask every store."""
    secrets = json.loads(site.kubectl("get", "secrets", "--output=json"))["items"]
    password = next(
        base64.b64decode(value).decode()
        for secret in secrets
        for key, value in secret["data"].items()
        if key.endswith("admin-password")
    )
    address = f"http://{site.services['grafana']}:3000/api/datasources/uid"
    for source in DATASOURCES:
        answer = httpx.get(f"{address}/{source}/health", auth=("admin", password), timeout=60)
        assert answer.is_success, f"{source}: {answer.text}"
