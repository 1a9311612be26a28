"""The parts of the phases, each made from the settings of its stack."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from components.autoscaling import POLL_INTERVAL, Autoscaling
from components.base import StackComponent
from components.collector_copier import NAME as COPIER
from components.collector_copier import CollectorCopier, CollectorCopierArgs, copier_job
from components.collector_gateway import CollectorGateway, CollectorGatewayArgs
from components.collector_processor import (
    COMMIT,
    GROUPS,
    SAMPLER_COMMIT,
    CollectorProcessor,
    CollectorProcessorArgs,
)
from components.collectors.tls import IngestTls
from components.collectors.workload import METRICS_PORT
from components.composition.addresses import Addresses, host_port
from components.composition.consumer_groups import stack_groups, topic_readers
from components.composition.node_stores import NodeStores
from components.composition.object_processors import PHASE3_PROCESSOR
from components.kafka.topics import SAMPLED, SOURCES, TOPICS
from components.kafka_buffer import KafkaBuffer, KafkaBufferArgs
from components.kafka_strimzi import CustomResources, StrimziKafka, StrimziKafkaArgs
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.metrics_target import MetricsTarget
from components.otel_collector import OtelCollector, OtelCollectorArgs
from components.sections.ingest import IngestSection
from components.sections.kubernetes import TierScaling
from components.settings import Settings
from components.sizing import SHARES, declared_rate
from components.sizing.batches import largest_record
from components.values.quantities import Duration, Size
from components.values.secret_text import ExistingSecret
from components.workload import Platform

Buffer = KafkaBuffer | StrimziKafka

ROOM_TO_GROW = 3
"""Most replicas, as a multiple of the sizing's own number: peaks of three times the declared rate."""

GATEWAY, PROCESSOR = "otel-gateway", "otel-processor"
KAFKA_CLIENTS = (GATEWAY, PROCESSOR, PHASE3_PROCESSOR, COPIER)
"""Workloads that may connect to Kafka, whichever of them a stack has."""

RECONNECT = Duration(60)
"""Age of a client's connection where connections, not calls, are spread over the gateways: a new gateway may
wait that long for its share."""

GATEWAY_MEMORY = 0.55
"""Share of their memory limit at which gateways are kept: they get another at a tenth more, which is where
they begin to refuse data (60% for the heap)."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Creates the parts of one stack on one platform."""

    settings: Settings
    platform: Platform

    def collector(
        self,
        stores: NodeStores,
        addresses: Addresses | None = None,
        *,
        after: Sequence[StackComponent] = (),
    ) -> OtelCollector:
        """Create the single collector of phase 1; without addresses where a load balancer has them."""
        settings = self.settings
        args = OtelCollectorArgs(
            image=settings.image_catalogue["collector"],
            size=settings.size.programs["collector"],
            environment=settings.environment,
            ingest=settings.ingest,
            grpc=None if addresses is None else addresses.otlp_grpc,
            http=None if addresses is None else addresses.otlp_http,
            tls=None if addresses is None else self._ingest_tls(addresses),
            operations=settings.size.operations,
            out_of_order=settings.out_of_order,
            stores=stores.otlp_endpoints,
        )
        return OtelCollector("otel-collector", args, platform=self.platform, after=[*stores.all, *after])

    def buffer(self, platform: CustomResources, metrics: MetricsTarget) -> Buffer:
        """Create the buffer on a cluster, as the settings choose; counts of copies go to ``metrics``."""
        if self.settings.kafka.mode == "strimzi":
            return self._strimzi(platform)
        return self.kafka(metrics)

    def kafka(self, metrics: MetricsTarget) -> KafkaBuffer:
        """Create the buffer; the counts of its copies go to ``metrics``."""
        settings = self.settings
        args = KafkaBufferArgs(
            image=settings.image_catalogue["kafka"],
            size=settings.buffer,
            kafka=settings.kafka,
            largest_message=self._largest_record,
            metrics=metrics,
            trace_readers=topic_readers(settings, TOPICS["traces"]),
            groups=stack_groups(settings),
            password=self._kafka_password(),
            authority=self._kafka_authority(),
        )
        return KafkaBuffer("kafka", args, platform=self.platform)

    def gateway(
        self, kafka: Buffer, addresses: Addresses | None = None, *, scaled: bool = False
    ) -> CollectorGateway:
        """Create the gateways; with addresses where no load balancer is in front of them."""
        settings = self.settings
        size = settings.buffer.gateway
        args = CollectorGatewayArgs(
            image=settings.image_catalogue["collector"],
            size=size,
            environment=settings.environment,
            ingest=settings.ingest if addresses is None else self._reconnecting,
            kafka=kafka.client,
            grpc=None if addresses is None else addresses.otlp_grpc,
            http=None if addresses is None else addresses.otlp_http,
            autoscaling=self._gateway_scaling(size.replicas) if scaled else None,
            pod_attributes=scaled,
            metrics_by_resource=settings.adds_deltas or settings.kafka.metrics_in_order,
        )
        return CollectorGateway(GATEWAY, args, platform=self.platform, after=[kafka])

    def processor(self, kafka: Buffer, stores: NodeStores, *, scaled: bool = False) -> CollectorProcessor:
        """Create the processors."""
        scaling = self.processor_scaling(kafka) if scaled else None
        args = replace(self.processor_args(kafka, stores.otlp_endpoints), autoscaling=scaling)
        return CollectorProcessor(PROCESSOR, args, platform=self.platform, after=[kafka, *stores.all])

    def processor_args(self, kafka: Buffer, endpoints: Mapping[str, str]) -> CollectorProcessorArgs:
        """Return the settings of processors that write to these stores."""
        settings = self.settings
        return CollectorProcessorArgs(
            image=settings.image_catalogue["collector"],
            size=settings.buffer.processor,
            kafka=kafka.client,
            largest_request=settings.ingest.max_message_size,
            sampling=settings.sampling,
            max_traces=settings.buffer.max_traces,
            operations=settings.size.operations,
            out_of_order=settings.out_of_order,
            stores=endpoints,
        )

    def copier(self, kafka: Buffer) -> CollectorCopier | None:
        """Create the copier, if another stack is named."""
        settings = self.settings
        if settings.kafka.copy_to is None:
            return None
        args = CollectorCopierArgs(
            image=settings.image_catalogue["collector"],
            size=settings.buffer.copier,
            kafka=kafka.client,
            target=settings.kafka.copy_to,
        )
        return CollectorCopier(COPIER, args, platform=self.platform, after=[kafka])

    def load_balancer(self, addresses: Addresses, after: Sequence[StackComponent]) -> LoadBalancer:
        """Create the load balancer of phase 2."""
        settings = self.settings
        args = LoadBalancerArgs(
            image=settings.image_catalogue["haproxy"],
            size=settings.buffer.load_balancer,
            largest_request=settings.ingest.max_message_size,
            gateway=settings.buffer.gateway.each.memory,
            grpc=addresses.otlp_grpc,
            http=addresses.otlp_http,
            observe=host_port(settings, settings.query.bind_address, settings.query.haproxy_port),
            tls=self._ingest_tls(addresses),
        )
        return LoadBalancer("haproxy", args, platform=self.platform, after=after)

    def _strimzi(self, platform: CustomResources) -> StrimziKafka:
        """Have the Strimzi operator create the buffer."""
        settings = self.settings
        args = StrimziKafkaArgs(
            size=settings.buffer,
            kafka=settings.kafka,
            largest_message=self._largest_record,
            cluster=settings.kubernetes,
            reserved_cpu=settings.reserved_cpu,
            clients=KAFKA_CLIENTS,
            scaler=settings.autoscaling.keda_namespace if settings.autoscaling.lag == "keda" else None,
        )
        return StrimziKafka("kafka", args, platform=platform)

    @property
    def _reconnecting(self) -> IngestSection:
        """What is accepted where no load balancer spreads individual calls."""
        ingest = self.settings.ingest
        return replace(ingest, max_connection_age=ingest.max_connection_age or RECONNECT)

    @property
    def _largest_record(self) -> Size:
        """Largest record of the topics."""
        return largest_record(self.settings.ingest.max_message_size)

    def _ingest_tls(self, addresses: Addresses) -> IngestTls | None:
        section, published = self.settings.ingest.tls, addresses.tls
        if section is None or published is None:
            return None
        return IngestTls(
            certificate=section.certificate,
            key=pulumi.Output.secret(self.settings.ingest_tls_key or ""),
            client_ca=section.client_ca,
            grpc=published.grpc,
            http=published.http,
        )

    def _kafka_password(self) -> pulumi.Output[str] | ExistingSecret | None:
        existing, given = self.settings.kubernetes.existing_secrets.kafka, self.settings.kafka_password
        if existing is not None:
            return ExistingSecret(name=existing, key="password")
        return None if given is None else pulumi.Output.secret(given)

    def _kafka_authority(self) -> str | ExistingSecret | None:
        existing = self.settings.kubernetes.existing_secrets.kafka_ca
        if existing is not None:
            return ExistingSecret(name=existing, key="ca.crt")
        return self.settings.kafka.security.ca

    def _gateway_scaling(self, replicas: int) -> Autoscaling:
        tier = self.settings.autoscaling.gateway
        return Autoscaling(
            maximum=_maximum(tier, replicas), cpu=tier.cpu_percent / 100, memory=GATEWAY_MEMORY
        )

    def processor_scaling(self, kafka: Buffer, groups: Mapping[str, str] = GROUPS) -> Autoscaling:
        """Return the processors' bounds, given the consumer group in which they read each source.

        Their memory says nothing of the load: each takes from Kafka what its own bounds of fetched data and
        undecided traces allow, so that behind a backlog all are equally full, whatever their number.
        """
        section, size = self.settings.autoscaling, self.settings.buffer
        replicas = size.processor.replicas
        lag = None
        if section.lag == "keda":
            read = {group: SOURCES[source] for source, group in groups.items()}
            lag = kafka.client.lag(read, section.lag_threshold, self._held(read))
        return Autoscaling(
            maximum=max(replicas, min(_maximum(section.processor, replicas), size.partitions)),
            cpu=section.processor.cpu_percent / 100,
            lag=lag,
        )

    def _held(self, topics: Mapping[str, str]) -> Mapping[str, int]:
        """Return the trace records that each processor has read but not committed: at most one per span.

        A sampler commits so seldom that what it has read since the last poll is all that counts.
        """
        settings = self.settings
        spans = declared_rate(settings.sizing) * SHARES["traces"] / settings.buffer.processor.replicas
        sampler = settings.sampling.mode == "tail"
        told = {TOPICS["traces"]: min(SAMPLER_COMMIT, POLL_INTERVAL) if sampler else COMMIT, SAMPLED: COMMIT}
        return {
            group: math.ceil(spans * told[topic].seconds) for group, topic in topics.items() if topic in told
        }


def collector_jobs(settings: Settings, *more: str) -> dict[str, str]:
    """Return the address of each collector scraped from phase 2 on, by name, those in ``more`` included."""
    names = (GATEWAY, PROCESSOR, *more)
    return {**{name: f"{name}:{METRICS_PORT}" for name in names}, **copier_job(settings)}


def _maximum(tier: TierScaling, replicas: int) -> int:
    return max(replicas, tier.maximum or ROOM_TO_GROW * replicas)
