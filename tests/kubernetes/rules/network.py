"""Who may talk to whom: exactly those whose configuration asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from components.platform.manifests.network import SOLVER
from tests.kubernetes import edges
from tests.kubernetes.edges import OUTSIDE, Edge
from tests.support.manifests import FOR_ALL, Manifest, Tree, name_of

DIRECTIONS = ("Egress", "Ingress")


def denied_by_default(tree: Tree) -> Iterator[str]:
    """One policy closes everything, and every other one opens something for pods that are there."""
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    if not any(policy["spec"] == closed for policy in tree.of("NetworkPolicy")):
        yield "no policy denies everything by default"
    for policy in tree.of("NetworkPolicy"):
        for selector in _selectors(policy):
            if not tree.selected(selector) and not _is_somebody_elses(tree, selector):
                yield f"NetworkPolicy {name_of(policy)}: {selector} selects no pods"


def names_can_be_asked(tree: Tree) -> Iterator[str]:
    """Every program may ask for names, over UDP and TCP."""
    needed = {(port, protocol) for port in tree.dns_ports for protocol in ("UDP", "TCP")}
    for program in tree.programs():
        ports = {
            (port["port"], port["protocol"])
            for policy in tree.of("NetworkPolicy")
            if program in tree.selected(policy["spec"]["podSelector"])
            for rule in policy["spec"].get("egress", [])
            if "to" not in rule
            for port in rule.get("ports", [])
        }
        if not ports >= needed:
            yield f"{program.name}: may not ask for names"


def used_edges_are_allowed(tree: Tree) -> Iterator[str]:
    """Both ends let every connection through that a configuration asks for."""
    allowed = {direction: edges.allowed(tree, direction) for direction in DIRECTIONS}
    for edge in sorted(edges.used(tree) | _api_edges(tree)):
        for direction, inner in (("Egress", edge.source), ("Ingress", edge.target)):
            if inner != OUTSIDE and edge not in allowed[direction]:
                yield f"{edge}: is used, but no {direction} rule allows it"


def allowed_edges_are_used(tree: Tree) -> Iterator[str]:
    """No policy lets a connection through that no configuration asks for."""
    used = edges.used(tree) | _api_edges(tree)
    used |= {
        Edge(edge.source, OUTSIDE, port)
        for edge in used
        if edge.target == OUTSIDE
        for port in tree.egress_ports
    }
    for direction in DIRECTIONS:
        for edge in sorted(edges.allowed(tree, direction) - used):
            if edge.target != OUTSIDE or edge.port not in tree.dns_ports:
                yield f"{edge}: is allowed by an {direction} rule, but nothing uses it"


def opened_to_all_on_purpose(tree: Tree) -> Iterator[str]:
    """What every namespace may connect to is what the stack tells everybody of: OTLP and Grafana."""
    for_all = {key: value for key, value in tree.addresses.items() if key in FOR_ALL}
    meant = edges.from_clients(replace(tree, addresses=for_all))
    for edge in sorted(edges.from_everybody(tree) - meant):
        yield f"{edge}: every namespace may, and it is not for all"


def _api_edges(tree: Tree) -> set[Edge]:
    return {
        Edge(program.name, OUTSIDE, port)
        for program in tree.programs()
        if edges.reads_the_api(tree, program)
        for port in tree.api_ports
    }


def _is_somebody_elses(tree: Tree, selector: Manifest) -> bool:
    """Tell whether a selector is about pods that others make in the stack's namespace.

    Strimzi guards the ways into its own; cert-manager's are there while a certificate of Ingresses, or of a
    Gateway in that namespace, is renewed.
    """
    clusters = [{"strimzi.io/cluster": name_of(one)} for one in tree.of("Kafka")]
    has_gateway = any(
        parent["namespace"] == route["metadata"]["namespace"]
        for route in tree.of("HTTPRoute")
        for parent in route["spec"]["parentRefs"]
    )
    solvers = [{SOLVER: "true"}] if tree.of("Ingress") or has_gateway else []
    return selector.get("matchLabels") in [*clusters, *solvers]


def _selectors(policy: Manifest) -> Iterator[Manifest]:
    """Give what selects pods of the stack's namespace."""
    spec = policy["spec"]
    if spec["podSelector"]:
        yield spec["podSelector"]
    for key, peers in (("egress", "to"), ("ingress", "from")):
        for rule in spec.get(key, []):
            inside = (peer for peer in rule.get(peers, []) if "namespaceSelector" not in peer)
            yield from (peer["podSelector"] for peer in inside if "podSelector" in peer)
