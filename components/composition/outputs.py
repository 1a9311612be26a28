"""What other teams read from the stack: the contract in ``docs/outputs.md``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from components.composition.addresses import Addresses, grafana_url
from components.settings import Settings

CONTRACT_VERSION = "1"
"""Incremented when an output is renamed, removed, or changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Outputs of every phase, none of them secret.

    Attributes:
        contract_version: version of this contract.
        environment: name of the environment.
        phase: phase of the stack.
        platform: what it runs on.
        otlp_grpc_endpoint: where to send OTLP over gRPC.
        otlp_http_endpoint: where to send OTLP over HTTP.
        sdk_environment: shell lines that point any OpenTelemetry SDK at the stack.
        grafana_url: address of Grafana.
        grafana_admin_user: login of Grafana's administrator.
        traces_ui_url: address of the trace store's own UI, or of its API where it has none (Tempo).
        traces_query_url: base address of the trace store's query API.
        metrics_query_url: base address of the metric store's query API (PromQL).
        logs_query_url: base address of the log store's query API (LogQL).
        traces_datasource_uid: uid of Grafana's data source for traces.
        metrics_datasource_uid: uid of Grafana's data source for metrics.
        logs_datasource_uid: uid of Grafana's data source for logs.
        limit_events_per_second: sustained spans, samples and log records that this sizing is meant for.
        limit_message_bytes: largest OTLP request that is accepted.
        limit_log_bytes_per_second: log volume above which senders are told to slow down.
        retention_traces_seconds: age at which traces are deleted.
        retention_metrics_seconds: age at which metrics are deleted.
        retention_metrics_bytes: disk at which the oldest metrics are deleted before that age.
        retention_logs_seconds: age at which logs are deleted.
    """

    contract_version: str
    environment: str
    phase: int
    platform: str
    otlp_grpc_endpoint: str
    otlp_http_endpoint: str
    sdk_environment: str
    grafana_url: str
    grafana_admin_user: str
    traces_ui_url: str
    traces_query_url: str
    metrics_query_url: str
    logs_query_url: str
    traces_datasource_uid: str
    metrics_datasource_uid: str
    logs_datasource_uid: str
    limit_events_per_second: int
    limit_message_bytes: int
    limit_log_bytes_per_second: int
    retention_traces_seconds: int
    retention_metrics_seconds: int
    retention_metrics_bytes: int
    retention_logs_seconds: int

    def as_dict(self) -> dict[str, Any]:
        """Return all outputs by name: text and numbers, and in phase 4 Pulumi's own outputs of text."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def outputs(settings: Settings, addresses: Addresses, *, platform: str) -> Outputs:
    """Gather the outputs of a stack."""
    grpc, http = addresses.otlp_grpc.url, addresses.otlp_http.url
    if addresses.tls is not None:
        grpc, http = addresses.tls.grpc.url, addresses.tls.http.url
    traces = addresses.traces.url
    size = settings.size
    return Outputs(
        contract_version=CONTRACT_VERSION,
        environment=settings.environment,
        phase=settings.phase,
        platform=platform,
        otlp_grpc_endpoint=grpc,
        otlp_http_endpoint=http,
        sdk_environment=_sdk_environment(grpc, settings.environment),
        grafana_url=grafana_url(settings, addresses.grafana),
        grafana_admin_user=settings.grafana.admin_user,
        traces_ui_url=traces,
        traces_query_url=traces,
        metrics_query_url=addresses.metrics.url,
        logs_query_url=addresses.logs.url,
        traces_datasource_uid="jaeger",
        metrics_datasource_uid="prometheus",
        logs_datasource_uid="loki",
        limit_events_per_second=size.events_per_second,
        limit_message_bytes=settings.ingest.max_message_size.bytes,
        limit_log_bytes_per_second=size.log_bytes_per_second.bytes,
        retention_traces_seconds=settings.retention.traces.seconds,
        retention_metrics_seconds=settings.retention.metrics.seconds,
        retention_metrics_bytes=size.metrics_size.bytes,
        retention_logs_seconds=settings.retention.logs.seconds,
    )


def _sdk_environment(endpoint: str, environment: str) -> str:
    return "\n".join(
        [
            f"export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}",
            "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
            f"export OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name={environment}",
        ]
    )
