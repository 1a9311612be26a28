"""The compositions of the stack; each reads like its line in the README's table of phases."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.alerts.rules import operator_rules
from components.composition.addresses import Addresses, cluster_addresses, host_addresses
from components.composition.node_stores import NodeStores, run_grafana, run_stores
from components.composition.object_stack import object_store_cluster
from components.composition.object_stores import make_buckets
from components.composition.outputs import Outputs, outputs
from components.composition.parts import Parts, collector_jobs
from components.load_balancer import OBSERVE_PORT
from components.platform.docker import DockerPlatform
from components.platform.kubernetes import KubernetesPlatform
from components.platform.manifests.scope import Scope
from components.settings import Settings
from components.settings.fixed import fix_places
from components.workload import Platform


def build(settings: Settings) -> Outputs:
    """Compose the phase that the settings choose.

    Raises:
        pulumi.RunError: the stack's data is not where the settings say.
    """
    fix_places(settings)
    return _PHASES[settings.phase](settings)


def single_node(settings: Settings) -> Outputs:
    """Phase 1: applications -> collector -> Jaeger, Prometheus, Loki -> Grafana, on one Docker Engine."""
    platform, addresses = _docker(settings), host_addresses(settings)
    stores = run_stores(settings, platform, addresses)
    Parts(settings=settings, platform=platform).collector(stores, addresses)
    return _finish(settings, platform, stores, addresses, name="docker")


def buffered_node(settings: Settings) -> Outputs:
    """Phase 2: applications -> HAProxy -> gateways -> Kafka -> processors -> phase 1's stores -> Grafana.

    Phase 1's collector stays, without its address, to deliver what its queue on disk still holds.
    """
    platform, addresses = _docker(settings), host_addresses(settings)
    parts = Parts(settings=settings, platform=platform)
    jobs = {**collector_jobs(settings), "haproxy": f"haproxy:{OBSERVE_PORT}"}
    stores = run_stores(settings, platform, addresses, jobs)
    kafka = parts.kafka(stores.metrics_target)
    gateway = parts.gateway(kafka)
    parts.processor(kafka, stores)
    parts.copier(kafka)
    drain = parts.collector(stores, after=[gateway])
    parts.load_balancer(addresses, after=[gateway, drain])
    return _finish(settings, platform, stores, addresses, name="docker")


def cluster(settings: Settings) -> Outputs:
    """Phase 3: applications -> gateways -> Kafka -> processors -> stores -> Grafana, on Kubernetes."""
    platform, addresses = _kubernetes(settings), cluster_addresses(settings)
    parts = Parts(settings=settings, platform=platform)
    stores = run_stores(settings, platform, addresses, collector_jobs(settings), discovery="pods")
    kafka = parts.buffer(platform, stores.metrics_target)
    parts.gateway(kafka, addresses, scaled=True)
    parts.processor(kafka, stores, scaled=True)
    parts.copier(kafka)
    rules = operator_rules(stores.prometheus.rules, settings.alerting.runbooks_url, haproxy=False)
    platform.alert_rules(rules, parent=stores.prometheus)
    if settings.buckets_wait:
        make_buckets(settings)
    return _finish(settings, platform, stores, addresses, name="kubernetes")


def object_cluster(settings: Settings) -> Outputs:
    """Phase 4: phase 3's path to Tempo, Mimir and Loki on object storage, Grafana in several replicas."""
    return object_store_cluster(settings, _kubernetes(settings))


def _docker(settings: Settings) -> DockerPlatform:
    return DockerPlatform(host=settings.docker.host, images=settings.image_catalogue)


def _kubernetes(settings: Settings) -> KubernetesPlatform:
    scope = Scope(
        section=settings.kubernetes,
        environment=settings.environment,
        keda_namespace=settings.autoscaling.keda_namespace,
        reserved_cpu=settings.reserved_cpu,
    )
    return KubernetesPlatform(scope)


def _finish(
    settings: Settings, platform: Platform, stores: NodeStores, addresses: Addresses, *, name: str
) -> Outputs:
    run_grafana(settings, platform, stores, addresses.grafana)
    return outputs(settings, addresses, platform=name)


_PHASES: Mapping[int, Callable[[Settings], Outputs]] = {
    1: single_node,
    2: buffered_node,
    3: cluster,
    4: object_cluster,
}
