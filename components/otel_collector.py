"""The single OpenTelemetry Collector of phase 1, to which applications send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.base import StackComponent, data_volumes
from components.collectors.tls import IngestTls
from components.collectors.workload import (
    CONFIG_DIRECTORY,
    collector_workload,
    otlp_ports,
    set_ingest,
    set_memory,
    set_operations,
    set_resource,
    set_stores,
)
from components.images import Image
from components.publication import Publication
from components.sections.ingest import IngestSection
from components.sizing import ProgramSize
from components.sizing.batches import largest_batch
from components.values.documents import Document
from components.values.quantities import Duration
from components.workload import Platform


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
        operations: operations of one service that it counts apart.
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
    operations: int
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
        workload = replace(
            collector_workload(
                name,
                collector_configuration(name, args),
                image=args.image,
                size=args.size,
                ports=otlp_ports(args.grpc, args.http),
            ),
            volumes=data_volumes("otel-storage", "/var/lib/otelcol", args.size),
        )
        self.run(workload if args.tls is None else args.tls.within(workload), after)


def collector_configuration(name: str, args: OtelCollectorArgs) -> Document:
    """Set a collector's configuration file from its settings."""
    document = Document.read("otel-collector/collector.yaml")
    set_memory(document, args.size)
    set_operations(document, args.operations)
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
