"""The compositions of the stack; each reads like its line of the README's table of phases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pulumi

from components.base import StackComponent
from components.collector_gateway import CollectorGateway, CollectorGatewayArgs
from components.collector_processor import CollectorProcessor, CollectorProcessorArgs
from components.kafka_buffer import KafkaBuffer, KafkaBufferArgs
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.node_stores import NodeStores, run_grafana, run_stores
from components.otel_collector import OtelCollector, OtelCollectorArgs
from components.outputs import Outputs, Running, outputs
from components.platform.docker import DockerPlatform
from components.quantities import Size
from components.settings import Settings
from components.workload import Platform, Publication

SCRAPED = {
    "otel-gateway": "otel-gateway:8888",
    "otel-processor": "otel-processor:8888",
    "haproxy": "haproxy:8404",
}
"""What phase 2 adds to the programs that Prometheus scrapes."""


class PhaseError(ValueError):
    """The settings choose a phase that this version does not compose."""


def build(settings: Settings) -> Outputs:
    """Compose the phase that the settings choose.

    Raises:
        PhaseError: this version does not compose it.
    """
    compose = _PHASES.get(settings.phase)
    if compose is None:
        known = " or ".join(map(str, _PHASES))
        raise PhaseError(f"phase: {settings.phase}: this version composes phase {known}; choose one of them")
    return compose(settings)


def single_node(settings: Settings) -> Outputs:
    """Phase 1: applications -> collector -> Jaeger, Prometheus, Loki -> Grafana, on one Docker Engine."""
    platform = DockerPlatform(host=settings.docker.host, images=settings.image_catalogue)
    stores = run_stores(settings, platform)
    grpc, http = _otlp_addresses(settings)
    collector = _collector(settings, platform, stores, grpc=grpc, http=http)
    return _finish(settings, platform, stores, ingest=collector)


def buffered_node(settings: Settings) -> Outputs:
    """Phase 2: applications -> HAProxy -> gateways -> Kafka -> processors -> phase 1's stores -> Grafana.

    Phase 1's collector stays, without its address, to hand over what its queue on disk still holds.
    """
    platform = DockerPlatform(host=settings.docker.host, images=settings.image_catalogue)
    stores = run_stores(settings, platform, SCRAPED)
    kafka = _kafka(settings, platform)
    gateway = _gateway(settings, platform, kafka)
    _processor(settings, platform, kafka, stores)
    drain = _collector(settings, platform, stores, after=[gateway])
    balancer = _load_balancer(settings, platform, after=[gateway, drain])
    return _finish(settings, platform, stores, ingest=balancer)


def _otlp_addresses(settings: Settings) -> tuple[Publication, Publication]:
    ingest = settings.ingest
    grpc, http = (
        settings.publication(ingest.bind_address, port) for port in (ingest.grpc_port, ingest.http_port)
    )
    return grpc, http


def _collector(
    settings: Settings,
    platform: Platform,
    stores: NodeStores,
    *,
    grpc: Publication | None = None,
    http: Publication | None = None,
    after: Sequence[StackComponent] = (),
) -> OtelCollector:
    args = OtelCollectorArgs(
        image=settings.image_catalogue["collector"],
        size=settings.size.programs["collector"],
        environment=settings.environment,
        ingest=settings.ingest,
        grpc=grpc,
        http=http,
        stores=stores.otlp_endpoints,
    )
    return OtelCollector("otel-collector", args, platform=platform, after=[*stores.all, *after])


def _kafka(settings: Settings, platform: Platform) -> KafkaBuffer:
    password = settings.kafka_password
    args = KafkaBufferArgs(
        image=settings.image_catalogue["kafka"],
        size=settings.buffer,
        kafka=settings.kafka,
        # Twice the largest request: the gateway never adds that much to a record.
        largest_message=Size(2 * settings.ingest.max_message_size.bytes),
        password=None if password is None else pulumi.Output.secret(password),
    )
    return KafkaBuffer("kafka", args, platform=platform)


def _gateway(settings: Settings, platform: Platform, kafka: KafkaBuffer) -> CollectorGateway:
    args = CollectorGatewayArgs(
        image=settings.image_catalogue["collector"],
        size=settings.buffer.gateway,
        environment=settings.environment,
        ingest=settings.ingest,
        kafka=kafka.client,
    )
    return CollectorGateway("otel-gateway", args, platform=platform, after=[kafka])


def _processor(
    settings: Settings, platform: Platform, kafka: KafkaBuffer, stores: NodeStores
) -> CollectorProcessor:
    args = CollectorProcessorArgs(
        image=settings.image_catalogue["collector"],
        size=settings.buffer.processor,
        kafka=kafka.client,
        sampling=settings.sampling,
        max_traces=settings.buffer.max_traces,
        stores=stores.otlp_endpoints,
    )
    return CollectorProcessor("otel-processor", args, platform=platform, after=[kafka, *stores.all])


def _load_balancer(settings: Settings, platform: Platform, after: Sequence[StackComponent]) -> LoadBalancer:
    grpc, http = _otlp_addresses(settings)
    args = LoadBalancerArgs(
        image=settings.image_catalogue["haproxy"],
        size=settings.buffer.load_balancer,
        largest_request=settings.ingest.max_message_size,
        grpc=grpc,
        http=http,
        observe=settings.publication(settings.query.bind_address, settings.query.haproxy_port),
    )
    return LoadBalancer("haproxy", args, platform=platform, after=after)


def _finish(settings: Settings, platform: Platform, stores: NodeStores, *, ingest: StackComponent) -> Outputs:
    grafana = run_grafana(settings, platform, stores)
    running = Running(
        ingest=ingest.deployed,
        traces=stores.jaeger.deployed,
        metrics=stores.prometheus.deployed,
        logs=stores.loki.deployed,
        grafana=grafana.deployed,
    )
    return outputs(settings, running, platform="docker")


_PHASES: Mapping[int, Callable[[Settings], Outputs]] = {1: single_node, 2: buffered_node}
