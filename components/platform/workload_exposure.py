"""The ways into a workload from outside its namespace: load balancers, Ingresses, routes, scrapes."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.platform.manifests import network
from components.platform.manifests.monitoring import service_monitor_spec
from components.platform.objects import NOT_AWAITED, Objects
from components.publication import Exposure
from components.workload import Port


def expose(made: Objects, pods: pulumi.Resource) -> None:
    """Let others in, once the pods exist: Services, Ingresses, routes, and the operator's Prometheus."""
    scope, workload = made.scope, made.workload
    section = scope.section.exposure
    if section.type == "LoadBalancer" and network.exposed(workload):
        spec = network.load_balancer_spec(scope, workload)
        made.service(
            f"{made.name}-external",
            spec,
            annotations=section.annotations,
            depends_on=[pods],
            replace_on_changes=["spec.loadBalancerClass"],  # Kubernetes changes none
        )
    for port, exposure in network.exposed(workload):
        if section.type == "Ingress":
            _ingress(made, port, exposure, pods)
        elif section.type == "GatewayAPI":
            _route(made, port, exposure, pods)
    if workload.scraped is not None and scope.section.monitoring == "prometheus-operator":
        spec = service_monitor_spec(workload, workload.scraped)
        made.custom("monitoring.coreos.com/v1", "ServiceMonitor", spec)


def _ingress(made: Objects, port: Port, exposure: Exposure, pods: pulumi.Resource) -> None:
    scope, section = made.scope, made.scope.section.exposure
    name, service = f"{made.name}-{port.name}", made.name
    if port.speaks == "grpc":
        service = name
        spec = network.backend_spec(made.workload, port)
        made.service(service, spec, annotations=section.grpc_annotations)
    annotations = {**network.way_in_annotations(section, port), **NOT_AWAITED}
    kubernetes.networking.v1.Ingress(
        name,
        metadata=scope.metadata(made.name, name=name, annotations=annotations),
        spec=network.ingress_spec(scope, service, port, exposure),
        opts=made.options(depends_on=[pods]),
    )


def _route(made: Objects, port: Port, exposure: Exposure, pods: pulumi.Resource) -> None:
    section = made.scope.section.exposure
    made.custom(
        "gateway.networking.k8s.io/v1",
        "GRPCRoute" if port.speaks == "grpc" else "HTTPRoute",
        network.route_spec(made.scope, made.workload, port, exposure),
        name=f"{made.name}-{port.name}",
        annotations=network.way_in_annotations(section, port),
        depends_on=[pods],
    )
