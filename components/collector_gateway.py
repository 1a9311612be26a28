"""Gateway collectors: accept OTLP, answer when Kafka has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from components.autoscaling import Autoscaling
from components.base import StackComponent
from components.collectors.workload import (
    collector_workload,
    otlp_ports,
    set_ingest,
    set_memory,
    set_resource,
)
from components.images import Image
from components.kafka.client import KafkaClient
from components.kafka.topics import TOPICS
from components.publication import Publication
from components.sections.ingest import IngestSection
from components.sizing.programs import TierSize
from components.values.documents import Document
from components.workload import ApiRule, Platform

POD_RULES = (ApiRule(resources=("pods",), everywhere=True),)
"""What shows which pod an address belongs to; its ReplicaSet's name has that of its Deployment."""


@dataclass(frozen=True, kw_only=True)
class CollectorGatewayArgs:
    """Settings of the gateways.

    Attributes:
        image: the collector's image.
        size: replicas and their limits.
        environment: becomes ``deployment.environment.name``.
        ingest: what is accepted.
        kafka: where they write to.
        grpc: where OTLP over gRPC is published; None when a load balancer has that address.
        http: where OTLP over HTTP is published; None in the same case.
        autoscaling: bounds within which they follow the load.
        pod_attributes: add those of the sending pod, as the platform's API reports them.
        metrics_by_resource: all metrics of one resource are read by one processor.
    """

    image: Image
    size: TierSize
    environment: str
    ingest: IngestSection
    kafka: KafkaClient
    grpc: Publication | None = None
    http: Publication | None = None
    autoscaling: Autoscaling | None = None
    pod_attributes: bool = False
    metrics_by_resource: bool = False


class CollectorGateway(StackComponent):
    """Stateless gateways that share one name; a load balancer, or a Service, spreads calls over them."""

    def __init__(
        self, name: str, args: CollectorGatewayArgs, *, platform: Platform, after: Sequence[StackComponent]
    ) -> None:
        """Run the gateways once Kafka has its topics."""
        super().__init__(name, platform)
        workload = replace(
            collector_workload(
                name,
                gateway_configuration(name, args),
                image=args.image,
                size=args.size.each,
                ports=otlp_ports(args.grpc, args.http),
            ),
            replicas=args.size.replicas,
            autoscaling=args.autoscaling,
            calls=args.kafka.servers,
            reads=POD_RULES if args.pod_attributes else (),
            secret_files=args.kafka.secret_files,
        )
        self.run(workload, after)


def gateway_configuration(name: str, args: CollectorGatewayArgs) -> Document:
    """Set the gateways' configuration file from their settings."""
    document = Document.read("otel-gateway/gateway.yaml")
    set_memory(document, args.size.each)
    set_ingest(document, args.ingest)
    set_resource(document, environment=args.environment, name=name)
    for signal in TOPICS:
        args.kafka.configure_exporter(
            document, "exporters", f"kafka/{signal}", largest_request=args.ingest.max_message_size
        )
    _set_pod_attributes(document, wanted=args.pod_attributes)
    if args.metrics_by_resource:
        exporter = document.get("exporters", "kafka/metrics")
        del exporter["record_partitioner"]
        exporter["partition_metrics_by_resource_attributes"] = True
    return document


def _set_pod_attributes(document: Document, *, wanted: bool) -> None:
    if not wanted:
        document.remove("processors", "k8s_attributes")
        return
    for signal in TOPICS:
        document.get("service", "pipelines", signal, "processors").insert(1, "k8s_attributes")
