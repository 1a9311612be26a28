"""OpenTelemetry Collectors: what they all share, and the single one of phase 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.base import StackComponent, data_volumes, limits
from components.images import Image
from components.ingest_tls import IngestTls
from components.publication import Publication
from components.sections.ingest import IngestSection
from components.sizing import ProgramSize
from components.sizing.batches import largest_batch
from components.values.documents import Document
from components.values.quantities import Duration
from components.workload import DataVolume, Platform, Port, Probe, Workload

CONFIG_DIRECTORY = "/etc/otelcol"
GRPC_PORT, HTTP_PORT, METRICS_PORT, HEALTH_PORT = 4317, 4318, 8888, 13133

CONNECTION_AGE = Duration(300)
"""Age at which a gRPC client is asked to reconnect by default."""


@dataclass(frozen=True, kw_only=True)
class OtelCollectorArgs:
    """Settings of a collector that applications send to.

    Attributes:
        image: the collector's image.
        size: its limits.
        environment: becomes ``deployment.environment.name``.
        ingest: what is accepted.
        grpc: where OTLP over gRPC is published; None when a load balancer has that address.
        http: where OTLP over HTTP is published; None in the same case.
        out_of_order: how late a sample may arrive at the store.
        stores: exporter of the configuration file -> endpoint of the store.
        tls: OTLP with TLS for other machines.
    """

    image: Image
    size: ProgramSize
    environment: str
    ingest: IngestSection
    grpc: Publication | None
    http: Publication | None
    out_of_order: Duration
    stores: Mapping[str, str]
    tls: IngestTls | None = None


class OtelCollector(StackComponent):
    """The single collector of phase 1: a queue on disk in front of every store."""

    def __init__(
        self, name: str, args: OtelCollectorArgs, *, platform: Platform, after: Sequence[StackComponent] = ()
    ) -> None:
        """Run the collector once the stores answer."""
        super().__init__(name, platform)
        workload = collector_workload(
            name,
            collector_configuration(name, args),
            image=args.image,
            size=args.size,
            ports=otlp_ports(args.grpc, args.http),
            volumes=data_volumes("otel-storage", "/var/lib/otelcol", args.size),
        )
        self.run(workload if args.tls is None else args.tls.within(workload), after)


def collector_configuration(name: str, args: OtelCollectorArgs) -> Document:
    """Set a collector's configuration file from its settings."""
    document = Document.read("otel-collector/collector.yaml")
    set_memory(document, args.size)
    set_ingest(document, args.ingest)
    set_resource(document, environment=args.environment, name=name)
    set_stores(document, args.stores)
    age = f'"{args.out_of_order.in_unit("s")}"'
    document.replace("processors", "filter/storable", "metrics", "datapoint", 0, old='"24h"', new=age)
    for exporter in args.stores:
        batch = ("exporters", exporter, "sending_queue", "batch")
        document.set(*batch, "max_size", to=largest_batch(args.ingest.max_message_size))
    if args.tls is not None:
        args.tls.add_receiver(document, CONFIG_DIRECTORY)
    return document


def set_stores(document: Document, stores: Mapping[str, str]) -> None:
    """Point the exporters at their stores."""
    for exporter, endpoint in stores.items():
        document.set("exporters", exporter, "endpoint", to=endpoint)


def set_memory(document: Document, size: ProgramSize) -> None:
    """Refuse data while the heap is above 60% of the memory limit, and collect garbage at once above 80%.

    The limiter refuses above ``limit_mib`` minus ``spike_limit_mib``, its room for growth between two checks.
    """
    document.set("processors", "memory_limiter", "limit_mib", to=size.memory.share(0.8).mebibytes)
    document.set("processors", "memory_limiter", "spike_limit_mib", to=size.memory.share(0.2).mebibytes)


def set_ingest(document: Document, ingest: IngestSection) -> None:
    """Set what the OTLP receiver accepts."""
    otlp = ("receivers", "otlp", "protocols")
    document.set(*otlp, "grpc", "max_recv_msg_size_mib", to=ingest.max_message_size.mebibytes)
    document.set(*otlp, "grpc", "max_concurrent_streams", to=ingest.max_concurrent_streams)
    age = (*otlp, "grpc", "keepalive", "server_parameters", "max_connection_age")
    document.set(*age, to=(ingest.max_connection_age or CONNECTION_AGE).in_unit("s"))
    document.set(*otlp, "http", "max_request_body_size", to=ingest.max_message_size.bytes)
    document.set(*otlp, "http", "cors", "allowed_origins", to=list(ingest.cors_allowed_origins))


def set_resource(document: Document, *, environment: str, name: str) -> None:
    """Set the attributes that every record carries."""
    values = {"deployment.environment.name": environment, "collector.name": name}
    for attribute in document.get("processors", "resource", "attributes"):
        attribute["value"] = values[attribute["key"]]


def otlp_ports(grpc: Publication | None, http: Publication | None) -> list[Port]:
    """Return the ports on which applications, or their load balancer, reach a collector."""
    return [
        Port(name="otlp-grpc", number=GRPC_PORT, published=grpc, speaks="grpc"),
        Port(name="otlp-http", number=HTTP_PORT, published=http),
    ]


def collector_workload(
    name: str,
    document: Document,
    *,
    image: Image,
    size: ProgramSize,
    ports: Sequence[Port] = (),
    volumes: Sequence[DataVolume] = (),
    **further: Any,
) -> Workload:
    """Describe a collector with a given configuration; its image has no program that could check its health.

    ``further`` holds additional fields of ``Workload``.
    """
    return Workload(
        name=name,
        image=image,
        args=[f"--config={CONFIG_DIRECTORY}/config.yaml"],
        config_directory=CONFIG_DIRECTORY,
        files={"config.yaml": document.dump()},
        ports=[*ports, Port(name="metrics", number=METRICS_PORT), Port(name="health", number=HEALTH_PORT)],
        probe=Probe(port=HEALTH_PORT, path="/", command=None),
        resources=limits(size),
        volumes=volumes,
        scraped="metrics",
        **further,
    )
