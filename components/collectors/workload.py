"""What all collectors share: ports, settings in their files, the workload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.base import limits
from components.images import Image
from components.publication import Publication
from components.sections.ingest import IngestSection
from components.sizing import ProgramSize
from components.values.documents import Document
from components.values.quantities import Duration
from components.workload import Port, Probe, Workload

CONFIG_DIRECTORY = "/etc/otelcol"


GRPC_PORT, HTTP_PORT, METRICS_PORT, HEALTH_PORT = 4317, 4318, 8888, 13133


CONNECTION_AGE = Duration(300)
"""Age at which a gRPC client is asked to reconnect by default."""


def set_stores(document: Document, stores: Mapping[str, str]) -> None:
    """Point the exporters at their stores."""
    for exporter, endpoint in stores.items():
        document.set("exporters", exporter, "endpoint", to=endpoint)


def set_memory(document: Document, size: ProgramSize) -> None:
    """Refuse data while the heap is above 60% of the memory limit, though its garbage has been collected.

    The limiter refuses above ``limit_mib`` minus ``spike_limit_mib``, its room for growth between two checks.
    """
    document.set("processors", "memory_limiter", "limit_mib", to=size.memory.share(0.8).mebibytes)
    document.set("processors", "memory_limiter", "spike_limit_mib", to=size.memory.share(0.2).mebibytes)


def set_operations(document: Document, operations: int) -> None:
    """Count so many operations of each service apart."""
    document.set("connectors", "span_metrics", "aggregation_cardinality_limit", to=operations)


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
) -> Workload:
    """Describe a collector with a configuration; its image has no program that could check its health."""
    return Workload(
        name=name,
        image=image,
        args=[f"--config={CONFIG_DIRECTORY}/config.yaml"],
        config_directory=CONFIG_DIRECTORY,
        files={"config.yaml": document.dump()},
        ports=[*ports, Port(name="metrics", number=METRICS_PORT), Port(name="health", number=HEALTH_PORT)],
        probe=Probe(port=HEALTH_PORT, path="/", command=None),
        resources=limits(size),
        scraped="metrics",
    )
