"""Services, the ways in from outside, and who may talk to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from components.platform.manifests.scope import Manifest, Scope, selector
from components.workload import Exposure, Port, Workload, headless

DNS_PORT = 53
API_PORTS = (443, 6443)
"""Ports of Kubernetes API servers: of their Service, and behind it."""


def service_spec(scope: Scope, workload: Workload) -> Manifest:
    """Give the Service that spreads connections over a workload's pods."""
    spec: Manifest = {"selector": selector(workload.name), "ports": _ports(workload.ports)}
    exposure = scope.section.exposure
    if exposure.type != "LoadBalancer" or not exposed(workload):
        return {"type": "ClusterIP", **spec}
    if exposure.class_name is not None:
        spec["loadBalancerClass"] = exposure.class_name
    return {"type": "LoadBalancer", **spec}


def headless_spec(workload: Workload) -> Manifest:
    """Give the Service whose name stands for every single pod, peers even before they are ready."""
    return {
        "type": "ClusterIP",
        "clusterIP": "None",
        "selector": selector(workload.name),
        "publishNotReadyAddresses": workload.peers,
        "ports": _ports(workload.ports),
    }


def exposed(workload: Workload) -> list[tuple[Port, Exposure]]:
    """Give the ports that are reachable from outside the cluster."""
    return [
        (port, port.published)
        for port in workload.ports
        if isinstance(port.published, Exposure) and port.published.outside
    ]


def ingress_spec(scope: Scope, workload: Workload, port: Port, exposure: Exposure) -> Manifest:
    """Give the spec of an Ingress for one host name."""
    section = scope.section.exposure
    backend = {"service": {"name": workload.name, "port": {"number": port.number}}}
    spec: Manifest = {
        "rules": [
            {
                "host": exposure.host,
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
            }
        ]
    }
    if section.class_name is not None:
        spec["ingressClassName"] = section.class_name
    if section.tls_secret is not None:
        spec["tls"] = [{"hosts": [exposure.host], "secretName": section.tls_secret}]
    return spec


def route_spec(scope: Scope, workload: Workload, port: Port, exposure: Exposure) -> Manifest:
    """Give the spec of a Gateway API route (GRPCRoute or HTTPRoute) for one host name."""
    section = scope.section.exposure
    parent = {"name": section.gateway, "namespace": section.gateway_namespace or scope.namespace}
    return {
        "parentRefs": [parent],
        "hostnames": [exposure.host],
        "rules": [{"backendRefs": [{"name": workload.name, "port": port.number}]}],
    }


def deny_all_spec() -> Manifest:
    """Give the policy under which nothing in the namespace talks to anything."""
    return {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def open_egress_spec(labels: Mapping[str, str]) -> Manifest:
    """Give the policy under which pods of these labels may connect to anything."""
    return {"podSelector": {"matchLabels": dict(labels)}, "policyTypes": ["Egress"], "egress": [{}]}


def egress_spec(workload: Workload) -> Manifest:
    """Give the policy of what a workload may connect to: names, what it calls, the API where it reads it."""
    inside, outside = _callees(workload.calls)
    rules = [{"ports": [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]}]
    rules += [{"to": [_pods(name)], "ports": _tcp(ports)} for name, ports in sorted(inside.items())]
    if outside:
        rules.append({"ports": _tcp(outside)})
    if workload.reads:
        rules.append({"ports": _tcp(API_PORTS)})
    if workload.peers:
        rules.append({"to": [_pods(workload.name)], "ports": _all_ports(workload)})
    return {
        "podSelector": {"matchLabels": selector(workload.name)},
        "policyTypes": ["Egress"],
        "egress": rules,
    }


def ingress_policies(scope: Scope, workload: Workload) -> Mapping[str, Manifest]:
    """Give the policies of who may connect to what: by name, the policy's spec.

    A workload opens the way to those that it calls; and its own ports to its peers, to the applications that
    its published ports are for, and to the operator's Prometheus.
    """
    inside, _ = _callees(workload.calls)
    policies = {
        f"{workload.name}-to-{name}": _admit(name, _tcp(ports), [_pods(workload.name)])
        for name, ports in sorted(inside.items())
    }
    if workload.peers:
        policies[f"{workload.name}-peers"] = _admit(
            workload.name, _all_ports(workload), [_pods(workload.name)]
        )
    published = [port.number for port in workload.ports if port.published is not None]
    if published:
        clients = [] if exposed(workload) else [_namespaces(scope.section.clients)]
        policies[f"clients-to-{workload.name}"] = _admit(workload.name, _tcp(published), clients)
    if workload.scraped is not None and scope.section.monitoring == "prometheus-operator":
        ports = _tcp([workload.port(workload.scraped).number])
        policies[f"monitoring-to-{workload.name}"] = _admit(workload.name, ports, [_namespaces({})])
    return policies


def _callees(calls: Iterable[str]) -> tuple[Mapping[str, set[int]], set[int]]:
    """Sort ``host:port`` into workloads of the stack with their ports, and ports of anybody else."""
    inside: dict[str, set[int]] = defaultdict(set)
    outside: set[int] = set()
    for call in calls:
        host, _, port = call.rpartition(":")
        last = host.rpartition(".")[2]
        if "." not in host or last.endswith(headless("")):
            inside[last.removesuffix(headless(""))].add(int(port))
        else:
            outside.add(int(port))
    return inside, outside


def _admit(name: str, ports: list[Manifest], sources: list[Manifest]) -> Manifest:
    rule: Manifest = {"ports": ports}
    if sources:
        rule["from"] = sources
    return {
        "podSelector": {"matchLabels": selector(name)},
        "policyTypes": ["Ingress"],
        "ingress": [rule],
    }


def _pods(name: str) -> Manifest:
    return {"podSelector": {"matchLabels": selector(name)}}


def _namespaces(labels: Mapping[str, str]) -> Manifest:
    return {"namespaceSelector": {"matchLabels": dict(labels)} if labels else {}}


def _ports(ports: Iterable[Port]) -> list[Manifest]:
    speaks = {"grpc": "kubernetes.io/h2c", "http": "http"}
    return [
        {
            "name": port.name,
            "port": port.number,
            "targetPort": port.number,
            "protocol": port.transport,
            **({"appProtocol": speaks[port.speaks]} if port.speaks in speaks else {}),
        }
        for port in ports
    ]


def _tcp(numbers: Iterable[int]) -> list[Manifest]:
    return [{"protocol": "TCP", "port": number} for number in sorted(numbers)]


def _all_ports(workload: Workload) -> list[Manifest]:
    return [{"protocol": port.transport, "port": port.number} for port in workload.ports]
