"""Jaeger: stores and shows traces on one node."""

from __future__ import annotations

from dataclasses import dataclass

from components.base import StackComponent, data_volumes, hours, limits
from components.images import Image
from components.publication import Publication
from components.sizing import ProgramSize
from components.sizing.batches import largest_delivery
from components.values.documents import Document
from components.values.quantities import Duration, Size
from components.workload import Platform, Port, Probe, Workload

CONFIG_DIRECTORY = "/etc/jaeger"
QUERY_PORT, OTLP_PORT, METRICS_PORT, HEALTH_PORT = 16686, 4317, 8888, 13133


@dataclass(frozen=True, kw_only=True)
class JaegerStoreArgs:
    """Settings of Jaeger.

    Attributes:
        image: Jaeger's image.
        size: its limits and disk.
        retention: age at which a trace expires; Badger has no limit by size.
        largest_request: largest request that applications may send.
        published: where UI and query API are reachable from outside.
    """

    image: Image
    size: ProgramSize
    retention: Duration
    largest_request: Size
    published: Publication | None = None


class JaegerStore(StackComponent):
    """Jaeger 2 with Badger on a volume."""

    def __init__(self, name: str, args: JaegerStoreArgs, *, platform: Platform) -> None:
        """Run Jaeger."""
        super().__init__(name, platform)
        self.run(_workload(name, args))


def jaeger_configuration(args: JaegerStoreArgs) -> Document:
    """Set Jaeger's configuration file from its settings."""
    badger = ("extensions", "jaeger_storage", "backends", "main", "badger")
    document = Document.read("jaeger/jaeger.yaml").set(*badger, "ttl", "spans", to=hours(args.retention))
    accepted = largest_delivery(args.largest_request).mebibytes
    return document.set("receivers", "otlp", "protocols", "grpc", "max_recv_msg_size_mib", to=accepted)


def _workload(name: str, args: JaegerStoreArgs) -> Workload:
    return Workload(
        name=name,
        image=args.image,
        args=["--config", f"{CONFIG_DIRECTORY}/config.yaml"],
        config_directory=CONFIG_DIRECTORY,
        files={"config.yaml": jaeger_configuration(args).dump()},
        ports=[
            Port(name="query", number=QUERY_PORT, published=args.published),
            Port(name="otlp-grpc", number=OTLP_PORT, speaks="grpc"),
            Port(name="metrics", number=METRICS_PORT),
            Port(name="health", number=HEALTH_PORT),
        ],
        scraped="metrics",
        probe=Probe(
            port=HEALTH_PORT,
            path="/status",
            command=("wget", "-q", "-O", "/dev/null", f"http://localhost:{HEALTH_PORT}/status"),
        ),
        resources=limits(args.size),
        volumes=data_volumes("jaeger-data", "/badger", args.size),
    )
