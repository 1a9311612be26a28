"""Services, the ways in from outside, and who may talk to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from components.platform.manifests.scope import Manifest, Scope, selector
from components.publication import Exposure
from components.sections.kubernetes import ExposureSection
from components.workload import Port, Workload, headless

NAMESPACE_NAME = "kubernetes.io/metadata.name"

OPERATED: Manifest = {
    "podSelector": {
        "matchExpressions": [
            {"key": "app.kubernetes.io/name", "operator": "In", "values": ["prometheus", "prometheus-agent"]}
        ]
    }
}
"""The pods that the Prometheus Operator makes for a Prometheus. Some stores have their metrics on a port that
also deletes data, so others of its namespace, such as a Grafana, have no business there."""

KEDA_OPERATOR: Manifest = {"podSelector": {"matchLabels": {"app": "keda-operator"}}}
"""The pods of KEDA that ask Kafka, as its chart and its YAML files label them. Others may run in its
namespace, which may be ``kube-system``."""

SOLVER, SOLVER_PORT = "acme.cert-manager.io/http01-solver", 8089
"""Label and port of the pods with which cert-manager proves over HTTP whose a host name is."""


def service_spec(workload: Workload) -> Manifest:
    """Return the Service that spreads connections over a workload's pods."""
    return {"type": "ClusterIP", "selector": selector(workload.name), "ports": _ports(workload.ports)}


def load_balancer_spec(scope: Scope, workload: Workload) -> Manifest:
    """Return the Service through which a cloud load balancer reaches the published ports.

    Its ports name no protocol: AKS would probe those of HTTP for a 200 on ``/``, which neither OTLP nor
    Grafana answers.
    """
    section = scope.section.exposure
    spec: Manifest = {
        "type": "LoadBalancer",
        "selector": selector(workload.name),
        "ports": _ports((port for port, _ in exposed(workload)), protocols=False),
    }
    if section.class_name is not None:
        spec["loadBalancerClass"] = section.class_name
    if section.source_ranges:
        spec["loadBalancerSourceRanges"] = list(section.source_ranges)
    return spec


def backend_spec(workload: Workload, port: Port) -> Manifest:
    """Return the Service of a single port, for controllers that learn its protocol from annotations."""
    return {"type": "ClusterIP", "selector": selector(workload.name), "ports": _ports([port])}


def headless_spec(workload: Workload) -> Manifest:
    """Return the Service whose name stands for every single pod, peers even before they are ready."""
    return {
        "type": "ClusterIP",
        "clusterIP": "None",
        "selector": selector(workload.name),
        "publishNotReadyAddresses": workload.peers,
        "ports": _ports(workload.ports),
    }


def exposed(workload: Workload) -> list[tuple[Port, Exposure]]:
    """Return the ports that are reachable from outside the cluster."""
    return [
        (port, port.published)
        for port in workload.ports
        if isinstance(port.published, Exposure) and port.published.audience == "everybody"
    ]


def way_in_annotations(section: ExposureSection, port: Port) -> Mapping[str, str]:
    """Return the annotations of an Ingress or route; controllers need to be told of gRPC."""
    return {**section.annotations, **(section.grpc_annotations if port.speaks == "grpc" else {})}


def ingress_spec(scope: Scope, service: str, port: Port, exposure: Exposure) -> Manifest:
    """Return the spec of an Ingress for one host name."""
    section = scope.section.exposure
    backend = {"service": {"name": service, "port": {"number": port.number}}}
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
    """Return the spec of a Gateway API route (GRPCRoute or HTTPRoute) for one host name.

    What the API server would add is written out: Argo CD reports what only the cluster has as a difference.
    """
    section = scope.section.exposure
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": section.gateway,
        "namespace": section.gateway_namespace or scope.namespace,
    }
    if section.gateway_listener is not None:
        parent["sectionName"] = section.gateway_listener
    backend = {"group": "", "kind": "Service", "name": workload.name, "port": port.number, "weight": 1}
    rule: Manifest = {"backendRefs": [backend]}
    if port.speaks != "grpc":
        rule["matches"] = [{"path": {"type": "PathPrefix", "value": "/"}}]
    return {"parentRefs": [parent], "hostnames": [exposure.host], "rules": [rule]}


def deny_all_spec() -> Manifest:
    """Return the policy under which nothing in the namespace talks to anything."""
    return {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def solver_spec(scope: Scope) -> Manifest | None:
    """Return the policy that admits the authority's question to the pod with which cert-manager answers it.

    That pod is in the namespace of the certificate that is renewed, which is the stack's where Ingresses have
    one or the Gateway is there. None where certificates are elsewhere.
    """
    if not _has_certificates(scope):
        return None
    rule: Manifest = {"ports": _tcp([SOLVER_PORT])}
    if scope.section.clients:
        rule["from"] = _clients(scope)
    return {
        "podSelector": {"matchLabels": {SOLVER: "true"}},
        "policyTypes": ["Ingress"],
        "ingress": [rule],
    }


def open_egress_spec(labels: Mapping[str, str]) -> Manifest:
    """Return the policy under which pods with these labels may connect to anything."""
    return {"podSelector": {"matchLabels": dict(labels)}, "policyTypes": ["Egress"], "egress": [{}]}


def egress_spec(scope: Scope, workload: Workload) -> Manifest:
    """Return the policy for what a workload may connect to: DNS, what it calls, the API if it reads it."""
    inside, outside = _callees(workload.calls)
    section = scope.section
    rules = [{"ports": [*_numbered("UDP", section.dns_ports), *_tcp(section.dns_ports)]}]
    rules += [{"to": [_pods(name)], "ports": _tcp(ports)} for name, ports in sorted(inside.items())]
    if outside:
        rules.append({"ports": _tcp({*outside, *section.egress_ports})})
    if workload.reads:
        rules.append({"ports": _tcp(section.api_ports)})
    if workload.peers:
        rules.append({"to": [_pods(workload.name)], "ports": _all_ports(workload)})
    return {
        "podSelector": {"matchLabels": selector(workload.name)},
        "policyTypes": ["Egress"],
        "egress": rules,
    }


def ingress_policies(scope: Scope, workload: Workload) -> Mapping[str, Manifest]:
    """Return the policies for who may connect to what: by name, the policy's spec.

    A workload opens the way to those that it calls, and its own ports to its peers, to the applications that
    its published ports are for, and to the operator's Prometheus.
    """
    inside, _ = _callees(workload.calls)
    policies: dict[str, Manifest] = {
        f"{workload.name}-to-{name}": _admit(name, _tcp(ports), [_pods(workload.name)])
        for name, ports in sorted(inside.items())
    }
    if workload.peers:
        policies[f"{workload.name}-peers"] = _admit(
            workload.name, _all_ports(workload), [_pods(workload.name)]
        )
    policies |= _audiences(scope, workload)
    if workload.scraped is not None and scope.section.monitoring == "prometheus-operator":
        ports = _tcp([workload.port(workload.scraped).number])
        source = _namespaces({NAMESPACE_NAME: scope.section.monitoring_namespace}) | OPERATED
        policies[f"monitoring-to-{workload.name}"] = _admit(workload.name, ports, [source])
    return policies


def whole_name(scope: Scope, address: str) -> str:
    """Write a ``host:port`` of the stack's own as needed from another namespace."""
    host, _, port = address.rpartition(":")
    return f"{host}.{scope.namespace}.svc:{port}" if _callees([address])[0] else address


def scaler_peer(namespace: str) -> Manifest:
    """Return the peer of a policy that is KEDA's operator in its namespace."""
    return _namespaces({NAMESPACE_NAME: namespace}) | KEDA_OPERATOR


def lag_policies(servers: Iterable[str], namespace: str) -> Mapping[str, Manifest]:
    """Return the policies that let the scaler in another namespace query the stack's own brokers."""
    return {
        f"{namespace}-to-{name}": _admit(name, _tcp(ports), [scaler_peer(namespace)])
        for name, ports in sorted(_callees(servers)[0].items())
    }


def _audiences(scope: Scope, workload: Workload) -> Mapping[str, Manifest]:
    """Open the published ports to those they are for; stores require no password."""
    ports: dict[str, list[int]] = defaultdict(list)
    for port in workload.ports:
        if isinstance(port.published, Exposure):
            ports[port.published.audience].append(port.number)
    clients = _clients(scope)
    sources = {
        # Without a source, also what is in no namespace, such as a load balancer.
        "everybody": clients if scope.section.clients else [],
        "clients": clients,
        "readers": [_namespaces(scope.section.readers)],
    }
    if not scope.section.readers:
        ports.pop("readers", None)
    return {
        f"{audience}-to-{workload.name}": _admit(workload.name, _tcp(numbers), sources[audience])
        for audience, numbers in sorted(ports.items())
    }


def _has_certificates(scope: Scope) -> bool:
    """Tell whether certificates of the ways in are kept in the stack's namespace."""
    section = scope.section.exposure
    if section.type == "GatewayAPI":
        return section.gateway_namespace in (None, scope.namespace)
    return section.type == "Ingress" and section.tls_secret is not None


def _clients(scope: Scope) -> list[Manifest]:
    networks = [{"ipBlock": {"cidr": network}} for network in scope.section.client_networks]
    return [_namespaces(scope.section.clients), *networks]


def _callees(calls: Iterable[str]) -> tuple[Mapping[str, set[int]], set[int]]:
    """Sort ``host:port`` into the stack's workloads with their ports, and ports of anything else."""
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


def _ports(ports: Iterable[Port], *, protocols: bool = True) -> list[Manifest]:
    speaks = {"grpc": "kubernetes.io/h2c", "http": "http"} if protocols else {}
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
    return _numbered("TCP", numbers)


def _numbered(protocol: str, numbers: Iterable[int]) -> list[Manifest]:
    return [{"protocol": protocol, "port": number} for number in sorted(set(numbers))]


def _all_ports(workload: Workload) -> list[Manifest]:
    return [{"protocol": port.transport, "port": port.number} for port in workload.ports]
