"""Everything that a stack can be told, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from pydantic.dataclasses import dataclass

from components.buckets.names import PURPOSES, bucket_names
from components.images import Images
from components.sections.alerting import AlertingSection
from components.sections.docker import DockerSection
from components.sections.forms import STRICT, EnvironmentName, Phase
from components.sections.grafana import GrafanaSection
from components.sections.ingest import IngestSection
from components.sections.kafka import KafkaSection
from components.sections.kubernetes import AutoscalingSection, KubernetesSection
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.sections.postgres import PostgresSection
from components.sections.sizing import SizingSection
from components.sections.stack import ImagesSection, QuerySection, RetentionSection, SamplingSection
from components.sections.storage import ObjectStorageSection
from components.sections.stores import StoresSection
from components.sizing import ProgramSize, StackSize, reserved_cpu, size_stack
from components.sizing.buffer import BufferSize, oldest_record, size_buffer
from components.sizing.stores import StoresSize, size_stores
from components.values.quantities import Duration


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SettingsModel:
    """All settings of a stack, each section for itself well formed.

    Attributes:
        environment: name of the environment; becomes ``deployment.environment.name`` on all telemetry.
        phase: 1: one Docker node; 2: gateways, Kafka, processors on Docker; 3: Kubernetes; 4: object storage.
        sizing: how much the stack carries.
        retention: how long each signal is kept.
        ingest: where applications send OTLP.
        ingest_tls_key: PEM private key of ``ingest.tls.certificate``; set it with ``--secret``.
        query: where the stores' query interfaces are published.
        images: where images come from.
        kafka: the buffer between gateways and processors, from phase 2 on.
        kafka_password: SASL password for an external Kafka; set it with ``--secret``.
        sampling: which traces the processors keep, from phase 2 on.
        docker: the Docker Engine of phases 1 and 2.
        kubernetes: the cluster of phases 3 and 4.
        autoscaling: how gateways and processors follow the load, from phase 3 on.
        object_storage: where the stores of phase 4 keep their data.
        stores: the stores of phase 4.
        grafana: Grafana's address and logins.
        postgres: Grafana's database in phase 4.
        alerting: who is notified of alerts, and where the runbooks are.
    """

    environment: EnvironmentName = "dev"
    phase: Phase = 1
    sizing: SizingSection = field(default_factory=SizingSection)
    retention: RetentionSection = field(default_factory=RetentionSection)
    ingest: IngestSection = field(default_factory=IngestSection)
    ingest_tls_key: str | None = field(default=None, repr=False)
    query: QuerySection = field(default_factory=QuerySection)
    images: ImagesSection = field(default_factory=ImagesSection)
    kafka: KafkaSection = field(default_factory=KafkaSection)
    kafka_password: str | None = field(default=None, repr=False)
    sampling: SamplingSection = field(default_factory=SamplingSection)
    docker: DockerSection = field(default_factory=DockerSection)
    kubernetes: KubernetesSection = field(default_factory=KubernetesSection)
    autoscaling: AutoscalingSection = field(default_factory=AutoscalingSection)
    object_storage: ObjectStorageSection = field(default_factory=ObjectStorageSection)
    stores: StoresSection = field(default_factory=StoresSection)
    grafana: GrafanaSection = field(default_factory=GrafanaSection)
    postgres: PostgresSection = field(default_factory=PostgresSection)
    alerting: AlertingSection = field(default_factory=AlertingSection)

    def published_ports(self) -> dict[str, tuple[str, int]]:
        """Addresses and ports taken on the host, by configuration key of the port; none on Kubernetes."""
        if self.phase >= ON_KUBERNETES:
            return {}
        ingest, query, grafana = self.ingest, self.query, self.grafana
        ports = {
            "ingest.grpcPort": (ingest.bind_address, ingest.grpc_port),
            "ingest.httpPort": (ingest.bind_address, ingest.http_port),
            "query.jaegerPort": (query.bind_address, query.jaeger_port),
            "query.prometheusPort": (query.bind_address, query.prometheus_port),
            "query.lokiPort": (query.bind_address, query.loki_port),
            "grafana.port": (grafana.bind_address, grafana.port),
        }
        if ingest.tls is not None:
            ports["ingest.tls.grpcPort"] = (ingest.tls.bind_address, ingest.tls.grpc_port)
            ports["ingest.tls.httpPort"] = (ingest.tls.bind_address, ingest.tls.http_port)
        if self.phase == WITH_KAFKA:
            ports["query.haproxyPort"] = (query.bind_address, query.haproxy_port)
        return ports

    @property
    def size(self) -> StackSize:
        """Limits of every program."""
        return size_stack(self.sizing, self.retention)

    @property
    def buffer(self) -> BufferSize:
        """Size of the path through Kafka."""
        return size_buffer(self.sizing, self.kafka, self.sampling)

    @property
    def oldest_replayed(self) -> Duration:
        """Age of the oldest records that may still come out of Kafka."""
        return oldest_record(self.kafka.retention)

    @property
    def out_of_order(self) -> Duration:
        """How late a sample may arrive: with Kafka, at least as late as it may come out of it."""
        asked = self.retention.metrics_out_of_order
        return asked if self.phase < WITH_KAFKA else max(asked, self.oldest_replayed)

    @property
    def reserved_cpu(self) -> float:
        """Fraction of their CPU limits that pods request, from 0 to 1."""
        return reserved_cpu(self.sizing, self.kubernetes.reserved_cpu_percent)

    @property
    def counts_copies(self) -> bool:
        """Whether ``kafka-topics`` creates the topics, which gives it the right to count their copies."""
        return self.phase >= WITH_KAFKA and self.kafka.mode != "strimzi" and self.kafka.create_topics

    @property
    def has_node_stores(self) -> bool:
        """Whether Jaeger, Prometheus and the single Loki run: up to phase 3 and during a changeover."""
        return self.phase < ON_OBJECT_STORAGE or self.stores.phase3 != "absent"

    @property
    def writes_node_stores(self) -> bool:
        """Whether processors feed those: up to phase 3, and at the beginning of a changeover."""
        return self.phase < ON_OBJECT_STORAGE or self.stores.phase3 == "written"

    @property
    def stateful_programs(self) -> Sequence[ProgramSize]:
        """Limits of the programs of phases 1 and 2 that keep data, one for each replica."""
        brokers = self.buffer.brokers if self.phase == WITH_KAFKA and self.kafka.mode == "builtin" else 0
        return [*self.size.programs.values(), *[self.buffer.broker] * brokers]

    @property
    def programs(self) -> Sequence[ProgramSize]:
        """Limits of all programs of phases 1 and 2, one for each replica."""
        if self.phase != WITH_KAFKA:
            return self.stateful_programs
        copier = [] if self.kafka.copy_to is None else [self.buffer.copier]
        return [*self.stateful_programs, *self.buffer.stateless_programs, self.buffer.topics, *copier]

    @property
    def adds_deltas(self) -> bool:
        """Whether the processors add up metrics of delta temporality, which Mimir does not."""
        return self.phase >= ON_OBJECT_STORAGE and self.stores.mimir.add_deltas

    @property
    def store_size(self) -> StoresSize:
        """Size of the stores of phase 4."""
        return size_stores(self.sizing, self.stores, self.postgres)

    @property
    def buckets_wait(self) -> bool:
        """Whether AWS buckets are named that no store uses yet, or any longer: in phase 3.

        The stack owns them then as well, so that it can come back from phase 4 and return there.
        """
        named = bucket_names(self.object_storage, self.environment)
        return (
            ON_KUBERNETES <= self.phase < ON_OBJECT_STORAGE
            and self.kubernetes.render is None
            and self.object_storage.provider == "aws"
            and self.object_storage.aws.region is not None
            and len(named) == len(PURPOSES)
        )

    @property
    def image_catalogue(self) -> Images:
        """The pinned images, with mirror and overrides applied."""
        overrides = {str(program): reference for program, reference in self.images.overrides.items()}
        return Images(registry=self.images.registry or "", overrides=overrides)
