"""Who connects to whom: as the configuration texts say, and as the network policies allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.manifests import Manifest, Program, Tree, name_of

OUTSIDE = "(outside)"
"""Whatever is not a program of the stack: applications, operators' tools, an external Kafka."""

EVERY_PORT = 0
READS_THE_API = ("kubernetes_sd_configs", "auth_type: serviceAccount")
"""What a configuration says when its program asks the API server."""

_ADDRESS = re.compile(
    r"(?<![\w.$(){}\[\]-])((?:\$\(REPLICA\)|[a-z][a-z0-9-]*)(?:\.[a-z0-9-]+)*):(\d{2,5})(?![\w.:-])"
)
_SELF = ("localhost",)


@dataclass(frozen=True, order=True)
class Edge:
    """One program opens connections to a port of another."""

    source: str
    target: str
    port: int

    def __str__(self) -> str:
        """Write it as one reads it."""
        return f"{self.source} -> {self.target}:{self.port}"


class NoSuchNameError(LookupError):
    """A configuration names a host that the cluster's DNS would not know."""


def used(tree: Tree) -> set[Edge]:
    """Give every connection that the stack's texts and outputs ask for.

    Raises:
        NoSuchNameError: a name resolves to nothing.
    """
    found = {edge for program in tree.programs() for edge in _of_program(tree, program)}
    return found | from_clients(tree) | set(_from_operators(tree))


def _of_program(tree: Tree, program: Program) -> Iterator[Edge]:
    for host, port in addresses(tree, program):
        edge = _edge(tree, program.name, host, port)
        if not _is_told(tree, program, edge, host):
            yield edge
    if any("kubernetes_sd_configs" in text for text in tree.files(program).values()):
        for other in tree.programs():
            annotations = other.template["metadata"].get("annotations", {})
            if annotations.get("prometheus.io/scrape") == "true" and other.name != program.name:
                yield Edge(program.name, other.name, int(annotations["prometheus.io/port"]))


def addresses(tree: Tree, program: Program) -> set[tuple[str, int]]:
    """Give every ``host:port`` in a program's files, variables and arguments, but its own loopback."""
    texts = [*tree.files(program).values(), *expanded(program).values()]
    texts += [argument for container in program.containers for argument in container.get("args", [])]
    replicas = pods(program) or ["(nameless)"]
    return {
        (match[1].replace("$(REPLICA)", replica), int(match[2]))
        for text in texts
        for match in _ADDRESS.finditer(text)
        for replica in replicas
        if match[1] not in _SELF
    }


def expanded(program: Program, **fields: str) -> dict[str, str]:
    """Give the variables with those in them that they refer to, and those that the pod's fields fill."""
    own = {**fields, **program.environment()}
    return {
        name: re.sub(r"\$\((\w+)\)", lambda match: own.get(match[1], match[0]), value)
        for name, value in own.items()
    }


def pods(program: Program) -> list[str]:
    """Give the names of a StatefulSet's first pods; those of a Deployment nobody knows beforehand."""
    if program.object["kind"] != "StatefulSet":
        return []
    spec = program.object["spec"]
    first = spec.get("ordinals", {}).get("start", 0)
    return [f"{program.name}-{first + number}" for number in range(spec.get("replicas", 1))]


def _is_told(tree: Tree, program: Program, edge: Edge, host: str) -> bool:
    """Tell whether an address is one that a program only tells others, who reach it there."""
    if edge.target == OUTSIDE:
        return host in {urlsplit(url).hostname for url in tree.addresses.values()}
    headless = [name_of(one) for one in tree.of("Service") if one["spec"].get("clusterIP") == "None"]
    peers = {f"{pod}.{name}" for pod in pods(program) for name in headless}
    return edge.target == program.name and host not in peers


def reads_the_api(tree: Tree, program: Program) -> bool:
    """Tell whether a program's configuration asks the API server."""
    return any(word in text for word in READS_THE_API for text in tree.files(program).values())


def _edge(tree: Tree, source: str, host: str, port: int, *, elsewhere: bool = False) -> Edge:
    target = _resolve(tree, source, host, elsewhere=elsewhere)
    if target is None:
        return Edge(source, OUTSIDE, port)
    service, program = target
    declared = [one for one in service["spec"]["ports"] if one["port"] == port]
    if not declared:
        raise NoSuchNameError(f"{source} calls {host}:{port}, but its Service has no such port")
    return Edge(source, program.name, declared[0].get("targetPort", port))


def _resolve(tree: Tree, source: str, host: str, *, elsewhere: bool) -> tuple[Manifest, Program] | None:
    """Find Service and program behind a name; None for a name of the outer world."""
    services = {name_of(service): service for service in tree.of("Service")}
    short = re.sub(r"\.svc(\.cluster\.local)?$", "", host)
    for namespace in {service["metadata"]["namespace"] for service in services.values()}:
        short, is_whole = short.removesuffix(f".{namespace}"), short.endswith(f".{namespace}")
        if elsewhere and not is_whole and short.rpartition(".")[2] in services:
            raise NoSuchNameError(f"{source} is in another namespace and calls {host}: add .{namespace}.svc")
    pod, _, name = short.rpartition(".")
    service = services.get(name)
    if service is None:
        if "." in host:
            return None
        raise NoSuchNameError(f"{source} calls {host}, which is no Service of the stack")
    programs = tree.selected({"matchLabels": service["spec"]["selector"]})
    if pod and not _is_named(service, programs, pod):
        raise NoSuchNameError(f"{source} calls {host}: no pod has that name behind the Service {name}")
    return service, programs[0]


def _is_named(service: Manifest, programs: list[Program], pod: str) -> bool:
    return service["spec"].get("clusterIP") == "None" and any(
        program.object["spec"].get("serviceName") == name_of(service) and pod in pods(program)
        for program in programs
    )


def told_ports(tree: Tree) -> set[int]:
    """Give the ports that the stack's outputs tell others to connect to."""
    return {urlsplit(url).port or 0 for url in tree.addresses.values()}


def from_clients(tree: Tree) -> set[Edge]:
    """Give the connections of applications and people: by the outputs, load balancers and ways in."""
    urls = [urlsplit(url) for url in tree.addresses.values()]
    inside = {(str(url.hostname), url.port or 0) for url in urls if str(url.hostname).endswith(".svc")}
    balanced = {
        (name_of(service), port["port"])
        for service in tree.of("Service")
        if service["spec"].get("type") == "LoadBalancer"
        for port in service["spec"]["ports"]
        if port["port"] in told_ports(tree)
    }
    return {_edge(tree, OUTSIDE, host, port) for host, port in {*inside, *balanced, *backends(tree)}}


def _from_operators(tree: Tree) -> Iterator[Edge]:
    """Give the connections of what runs in the cluster beside the stack: Prometheus's operator, KEDA."""
    for monitor in tree.of("ServiceMonitor"):
        yield from monitored(tree, monitor)
    for scaled in tree.of("ScaledObject"):
        for trigger in scaled["spec"]["triggers"]:
            for server in trigger["metadata"].get("bootstrapServers", "").split(","):
                host, _, port = server.rpartition(":")
                edge = _edge(tree, OUTSIDE, host, int(port), elsewhere=True)
                if edge.target != OUTSIDE:
                    yield edge
                    yield from _advertised(tree, edge.target)


def _advertised(tree: Tree, broker: str) -> Iterator[Edge]:
    """Give where a broker sends those who have found it by another address."""
    program = tree.program(broker)
    listeners = expanded(program)["KAFKA_ADVERTISED_LISTENERS"]
    for match in _ADDRESS.finditer(listeners):
        for replica in pods(program):
            host = match[1].replace("$(REPLICA)", replica)
            yield _edge(tree, OUTSIDE, host, int(match[2]), elsewhere=True)


def backends(tree: Tree) -> Iterator[tuple[str, int]]:
    """Give Service and port of every Ingress and route."""
    for ingress in tree.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                yield service["name"], service["port"]["number"]
    for route in tree.of("HTTPRoute", "GRPCRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                yield backend["name"], backend["port"]


def monitored(tree: Tree, monitor: Manifest) -> Iterator[Edge]:
    """Give what a ServiceMonitor makes the operator's Prometheus ask."""
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    for service in tree.of("Service"):
        if wanted <= service["metadata"]["labels"].items():
            for endpoint in monitor["spec"]["endpoints"]:
                for port in service["spec"]["ports"]:
                    if port["name"] == endpoint["port"]:
                        yield _edge(tree, OUTSIDE, name_of(service), port["port"])


def allowed(tree: Tree, direction: str, transport: str = "TCP") -> set[Edge]:
    """Give every connection over a transport that the policies of one direction, Egress or Ingress, allow."""
    key, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    found: set[Edge] = set()
    for policy in tree.of("NetworkPolicy"):
        if direction in policy["spec"]["policyTypes"]:
            for program in tree.selected(policy["spec"]["podSelector"]):
                for rule in policy["spec"].get(key, []):
                    for other in _peers(tree, rule.get(peers)):
                        for port in rule.get("ports", [{"protocol": transport, "port": EVERY_PORT}]):
                            if port["protocol"] == transport:
                                ends = (program.name, other) if key == "egress" else (other, program.name)
                                found.add(Edge(*ends, port["port"]))
    return found


def from_everybody(tree: Tree) -> set[Edge]:
    """Give every connection over TCP that the pods of each namespace may open."""
    return {
        Edge(OUTSIDE, program.name, port["port"])
        for policy in tree.of("NetworkPolicy")
        for program in tree.selected(policy["spec"]["podSelector"])
        for rule in policy["spec"].get("ingress", [])
        if any(peer.get("namespaceSelector") == {} for peer in rule.get("from", [{"namespaceSelector": {}}]))
        for port in rule.get("ports", [{"protocol": "TCP", "port": EVERY_PORT}])
        if port["protocol"] == "TCP"
    }


def _peers(tree: Tree, peers: list[dict[str, Any]] | None) -> list[str]:
    """Give the programs that a rule is about; whole namespaces, or no restriction, are the outside."""
    found: list[str] = []
    for peer in peers or [{"namespaceSelector": {}}]:
        if "namespaceSelector" in peer or "ipBlock" in peer:
            found.append(OUTSIDE)
        else:
            found += [program.name for program in tree.selected(peer["podSelector"])]
    return found
