"""The two configurations that are compared, with every address on loopback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.collector_gateway import CollectorGatewayArgs, gateway_configuration
from components.collector_processor import CollectorProcessorArgs, processor_configuration
from components.jaeger_store import JaegerStoreArgs, jaeger_configuration
from components.kafka.client import KafkaClient
from components.loki_store import LokiStoreArgs, loki_configuration
from components.prometheus_store import PrometheusStoreArgs, prometheus_configuration
from components.settings import Settings
from components.sizing.batches import largest_record
from components.values.documents import Document, text
from components.values.quantities import Size

SETTINGS: Mapping[str, Any] = {
    "phase": 2,
    "sizing": {
        "preset": "large",
        "gateway": {"memory": "2GiB"},
        "processor": {"memory": "4GiB"},
    },
    "kafka": {"partitions": 6},
    "sampling": {"maxTraces": 500_000},
}
"""One processor stands for all those of a large stack, so it may hold the undecided traces of all."""

LOOPBACK = "127.0.0.1"
GUIDE = Path(__file__).parent / "guide"
SHAPES = ("guide", "ours")


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Ports of one run, all on loopback."""

    otlp: int
    otlp_http: int
    gateway_metrics: int
    gateway_health: int
    processor_metrics: int
    processor_health: int
    processor_self: int
    kafka: int
    controller: int
    loki: int
    loki_grpc: int
    prometheus: int
    jaeger: int
    jaeger_metrics: int
    jaeger_health: int
    jaeger_query: int
    jaeger_query_grpc: int


def gateway_text(shape: str, ports: Ports) -> str:
    """Configuration of the gateway."""
    document = _ours_gateway() if shape == "ours" else _guides("gateway")
    _set_local(document, ports.gateway_health, ports.gateway_metrics)
    protocols = document.get("receivers", "otlp", "protocols")
    protocols["grpc"]["endpoint"] = _at(ports.otlp)
    protocols["http"]["endpoint"] = _at(ports.otlp_http)
    for exporter in document.get("exporters").values():
        exporter["brokers"] = [_at(ports.kafka)]
    return document.dump()


def processor_text(shape: str, ports: Ports, folder: Path) -> str:
    """Configuration of the processor, whose queues on disk are in a folder."""
    document = _ours_processor() if shape == "ours" else _guides("processor")
    _set_local(document, ports.processor_health, ports.processor_metrics)
    if shape == "guide":
        document.set("extensions", "file_storage", "directory", to=str(folder / "storage"))
    exporters = document.get("exporters")
    for name, part in (*document.get("receivers").items(), *exporters.items()):
        if name.startswith("kafka/"):
            part["brokers"] = [_at(ports.kafka)]
    for name, endpoint in _stores(ports).items():
        if name in exporters:
            exporters[name]["endpoint"] = endpoint
    if shape == "ours":
        _set_self(document, ports)
    return document.dump()


def kafka_properties(ports: Ports, folder: Path) -> str:
    """Give the broker's own settings file, with addresses and folder of this run."""
    local = {
        "controller.quorum.voters": f"1@{_at(ports.controller)}",
        "listeners": f"PLAINTEXT://{_at(ports.kafka)},CONTROLLER://{_at(ports.controller)}",
        "advertised.listeners": f"PLAINTEXT://{_at(ports.kafka)}",
        "log.dirs": str(folder),
        "message.max.bytes": "10485760",
        "replica.fetch.max.bytes": "10485760",
    }
    kept = [
        line
        for line in text("kafka/server.properties").splitlines()
        if line.partition("=")[0].strip() not in local
    ]
    return "\n".join([*kept, *(f"{key}={value}" for key, value in local.items())]) + "\n"


def loki_text(ports: Ports, folder: Path) -> str:
    """Configuration of Loki, the same for both shapes, with limits that do not matter."""
    settings = _settings()
    args = LokiStoreArgs(
        image=settings.image_catalogue["loki"],
        size=settings.size.programs["loki"],
        retention=settings.retention.logs,
        accepted_rate=Size(2**30),
    )
    document = Document(yaml.safe_load(loki_configuration(args).dump().replace("/loki/", f"{folder}/")))
    document.set("server", "http_listen_port", to=ports.loki)
    document.set("server", "grpc_listen_port", to=ports.loki_grpc)
    for kind in ("http", "grpc"):
        document.get("server")[f"{kind}_listen_address"] = LOOPBACK
    document.set("common", "path_prefix", to=str(folder))
    return document.dump()


def prometheus_text() -> str:
    """Configuration of Prometheus, the same for both shapes; it scrapes nothing and has no rules."""
    settings = _settings()
    args = PrometheusStoreArgs(
        image=settings.image_catalogue["prometheus"],
        size=settings.size.programs["prometheus"],
        environment=settings.environment,
        retention=settings.retention.metrics,
        retention_size=settings.size.metrics_size,
        out_of_order=settings.out_of_order,
    )
    return prometheus_configuration(args).set("scrape_configs", to=[]).set("rule_files", to=[]).dump()


def jaeger_text(ports: Ports, folder: Path) -> str:
    """Configuration of Jaeger, the same for both shapes."""
    settings = _settings()
    args = JaegerStoreArgs(
        image=settings.image_catalogue["jaeger"],
        size=settings.size.programs["jaeger"],
        retention=settings.retention.traces,
        largest_request=settings.ingest.max_message_size,
    )
    document = jaeger_configuration(args)
    document.set("receivers", "otlp", "protocols", "grpc", "endpoint", to=_at(ports.jaeger))
    document.set("extensions", "healthcheckv2", "http", "endpoint", to=_at(ports.jaeger_health))
    document.set("extensions", "jaeger_query", "http", "endpoint", to=_at(ports.jaeger_query))
    document.set("extensions", "jaeger_query", "grpc", "endpoint", to=_at(ports.jaeger_query_grpc))
    badger = ("extensions", "jaeger_storage", "backends", "main", "badger", "directories")
    for kind in ("keys", "values"):
        document.set(*badger, kind, to=str(folder / kind))
    _set_metrics(document, ports.jaeger_metrics)
    return document.dump()


def _ours_gateway() -> Document:
    settings = _settings()
    args = CollectorGatewayArgs(
        image=settings.image_catalogue["collector"],
        size=settings.buffer.gateway,
        environment=settings.environment,
        ingest=settings.ingest,
        kafka=_client(settings),
    )
    return gateway_configuration("otel-gateway", args)


def _ours_processor() -> Document:
    settings = _settings()
    args = CollectorProcessorArgs(
        image=settings.image_catalogue["collector"],
        size=settings.buffer.processor,
        kafka=_client(settings),
        largest_request=settings.ingest.max_message_size,
        sampling=settings.sampling,
        max_traces=settings.buffer.max_traces,
        operations=settings.size.operations,
        out_of_order=settings.out_of_order,
        stores={},
    )
    return processor_configuration(args)


def _settings() -> Settings:
    return Settings.load(SETTINGS)


def _client(settings: Settings) -> KafkaClient:
    return KafkaClient(servers=[], largest_message=largest_record(settings.ingest.max_message_size))


def _guides(tier: str) -> Document:
    return Document(yaml.safe_load((GUIDE / f"{tier}.yaml").read_text()))


def _stores(ports: Ports) -> Mapping[str, str]:
    return {
        "otlp_grpc/jaeger": _at(ports.jaeger),
        "otlp_http/prometheus": f"http://{_at(ports.prometheus)}/api/v1/otlp",
        "prometheusremotewrite": f"http://{_at(ports.prometheus)}/api/v1/write",
        "otlp_http/loki": f"http://{_at(ports.loki)}/otlp",
    }


def _set_local(document: Document, health: int, metrics: int) -> None:
    document.set("extensions", "health_check", "endpoint", to=_at(health))
    _set_metrics(document, metrics)


def _set_metrics(document: Document, port: int) -> None:
    prometheus = ("service", "telemetry", "metrics", "readers", 0, "pull", "exporter", "prometheus")
    document.set(*prometheus, "host", to=LOOPBACK)
    document.set(*prometheus, "port", to=port)


def _set_self(document: Document, ports: Ports) -> None:
    """Move the address to which a processor sends its own log."""
    document.set("receivers", "otlp/self", "protocols", "http", "endpoint", to=_at(ports.processor_self))
    batch = document.get("service", "telemetry", "logs", "processors")[0]["batch"]
    batch["exporter"]["otlp"]["endpoint"] = f"http://{_at(ports.processor_self)}"


def _at(port: int) -> str:
    return f"{LOOPBACK}:{port}"
