"""Connections that a stack's pods really have, as edges between its programs."""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Iterable, Mapping

import httpx

from tests.kubernetes.edges import OUTSIDE, Edge, allowed, used
from tests.lab.cluster import layout
from tests.support.connections import Connection, ended_over_tcp, over_tcp, over_udp
from tests.support.kafka_seen import lag_of
from tests.support.kubernetes_site import ClusterSite, program_of
from tests.support.manifests import Tree
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import flow
from tests.support.waiting import until

DNS = 53
KINDS = "deployments,statefulsets,services,configmaps,networkpolicies"
"""What says which connections there should be, and which there may be."""

PEERLESS = {
    "kafka -> kafka:9092": "one broker has no other",
    "kafka -> kafka:9093": "one broker has no other",
}
"""Connections for which a stack with one broker has no cause, and why."""


def demand_allowed(
    site: ClusterSite,
    load: Load,
    *,
    sources: Iterable[str],
    seldom: Mapping[str, str],
    seconds: float,
    leaving: Iterable[str] = (),
) -> set[Edge]:
    """Check connections under load: all that the texts need are seen, and all that are seen are allowed.

    Args:
        sources: uids of the data sources that Grafana is made to query.
        seldom: connections that need not be seen, as ``source -> target:port``, and why.
        seconds: how long the last one may take to be seen.
        leaving: programs that must be seen to connect to something outside, other than name servers.

    Raises:
        AssertionError: one was not seen, or the policies forbid one that was.
    """
    tree = Tree(objects=site.cluster.get(KINDS, f"--namespace={site.namespace}")["items"])
    inside = {edge for edge in used(tree) if OUTSIDE not in (edge.source, edge.target)}
    wanted = {edge for edge in inside if str(edge) not in seldom}
    seen: set[Edge] = set()

    def are_all_seen() -> bool:
        now, ended = seen_edges(site)
        # Of these, one end's address may since have passed on to another pod.
        seen.update(now | ended & wanted)
        assert wanted <= seen, f"not seen: {', '.join(map(str, sorted(wanted - seen)))}"
        left = {edge.source for edge in seen if edge.target == OUTSIDE and edge.port != DNS}
        assert left >= set(leaving), f"not seen outside: {', '.join(sorted(set(leaving) - left))}"
        return True

    with running(load):
        flow(load)
        ask_grafana(site, sources)
        lag_of(site)  # by tools of the pod that makes the topics
        what = "every connection that the texts ask for"
        until(what, are_all_seen, seconds=seconds, pause=1, forgive=(AssertionError,))
    assert {edge for edge in seen if edge.source != OUTSIDE} <= allowed(tree, "Egress")
    assert {edge for edge in seen if edge.target != OUTSIDE} <= allowed(tree, "Ingress")
    return seen


def seen_edges(site: ClusterSite) -> tuple[set[Edge], set[Edge]]:
    """Name the ends of the connections that the stack's pods have, and of those that ended a moment ago.

    The node's own are left out, because Kubernetes lets its kubelet in and this test's load comes from there;
    so is what remains of connections with pods that are gone.
    """
    pods = [pod for pod in site.pods() if pod.address]
    names = {pod.address: program_of(pod) for pod in pods}
    names |= {address: name for name, address in site.services.items() if address != "None"}
    everywhere = site.cluster.get("pods", "--all-namespaces")["items"]
    present = {one["status"].get("podIP") for one in everywhere}

    def named(found: Iterable[Connection]) -> set[Edge]:
        return {
            Edge(names.get(one.source, OUTSIDE), names.get(one.target, OUTSIDE), one.port)
            for one in found
            if (one.source in names or one.target in names)
            and all(_is_there(end, present) for end in (one.source, one.target))
            and one.source != layout.NODE_ADDRESS
        }

    now = over_tcp({pod.uid: pod.address for pod in pods}) | over_udp(DNS)
    return named(now), named(ended_over_tcp())


def _is_there(address: str, pods: set[str]) -> bool:
    inside = ipaddress.ip_address(address) in ipaddress.ip_network(layout.POD_NETWORK)
    return not inside or address in pods or address == layout.NODE_ADDRESS


def ask_grafana(site: ClusterSite, sources: Iterable[str]) -> None:
    """Make Grafana query data sources, by their uids."""
    secrets = json.loads(site.kubectl("get", "secrets", "--output=json"))["items"]
    password = next(
        base64.b64decode(value).decode()
        for secret in secrets
        for key, value in secret["data"].items()
        if key.endswith("admin-password")
    )
    address = f"http://{site.services['grafana']}:3000/api/datasources/uid"
    for source in sources:
        answer = httpx.get(f"{address}/{source}/health", auth=("admin", password), timeout=60)
        assert answer.is_success, f"{source}: {answer.text}"
