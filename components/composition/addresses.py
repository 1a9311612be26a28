"""Where clients other than the stack's own programs reach each of its interfaces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Literal

from components.collectors.workload import GRPC_PORT as OTLP_GRPC
from components.collectors.workload import HTTP_PORT as OTLP_HTTP
from components.grafana_ha import PORT as GRAFANA
from components.jaeger_store import QUERY_PORT as JAEGER
from components.loki_store import PORT as LOKI
from components.prometheus_store import PORT as PROMETHEUS
from components.publication import Exposure, HostPort, Publication
from components.sections.forms import Address, HostName, TcpPort
from components.sections.ingest import IngestTlsSection
from components.settings import Settings


@dataclass(frozen=True, kw_only=True)
class TlsAddresses:
    """Where OTLP is published with TLS.

    Attributes:
        grpc: OTLP over gRPC.
        http: OTLP over HTTP.
    """

    grpc: Publication
    http: Publication


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The published interfaces of a stack.

    Attributes:
        otlp_grpc: OTLP over gRPC.
        otlp_http: OTLP over HTTP.
        grafana: Grafana.
        traces: UI and query API of the trace store.
        metrics: query API of the metric store.
        logs: query API of the log store.
        tls: OTLP with TLS, for other machines; None where the addresses above are for all.
    """

    otlp_grpc: Publication
    otlp_http: Publication
    grafana: Publication
    traces: Publication
    metrics: Publication
    logs: Publication
    tls: TlsAddresses | None = None


def grafana_url(settings: Settings, published: Publication) -> str:
    """Return the address of Grafana that people type."""
    return settings.grafana.root_url or published.origin


def host_addresses(settings: Settings) -> Addresses:
    """Return the addresses on the host of phases 1 and 2."""
    ingest, query, grafana = settings.ingest, settings.query, settings.grafana
    plain = Addresses(
        otlp_grpc=host_port(settings, ingest.bind_address, ingest.grpc_port),
        otlp_http=host_port(settings, ingest.bind_address, ingest.http_port),
        grafana=host_port(settings, grafana.bind_address, grafana.port),
        traces=host_port(settings, query.bind_address, query.jaeger_port),
        metrics=host_port(settings, query.bind_address, query.prometheus_port),
        logs=host_port(settings, query.bind_address, query.loki_port),
    )
    return plain if ingest.tls is None else _with_tls(settings, ingest.tls, plain)


def _with_tls(settings: Settings, tls: IngestTlsSection, plain: Addresses) -> Addresses:
    """Add the addresses with TLS. The host's name is theirs: without TLS there is only the address."""
    bound = settings.ingest.bind_address
    return replace(
        plain,
        otlp_grpc=replace(plain.otlp_grpc, host=bound),
        otlp_http=replace(plain.otlp_http, host=bound),
        tls=TlsAddresses(
            grpc=replace(host_port(settings, tls.bind_address, tls.grpc_port), scheme="https"),
            http=replace(host_port(settings, tls.bind_address, tls.http_port), scheme="https"),
        ),
    )


def host_port(settings: Settings, address: Address, port: TcpPort) -> HostPort:
    """Publish on a port of the Docker host, under the name by which others reach it, if they do."""
    others = None if ip_address(address).is_loopback else settings.docker.advertised_host
    return HostPort(address=address, port=port, host=others or address)


def cluster_addresses(settings: Settings) -> Addresses:
    """Return the addresses of phase 3: OTLP and Grafana as exposed, the stores inside the cluster."""
    exposure = settings.kubernetes.exposure
    return Addresses(
        otlp_grpc=_exposed(settings, "otel-gateway", OTLP_GRPC, exposure.otlp_grpc_host),
        otlp_http=_exposed(settings, "otel-gateway", OTLP_HTTP, exposure.otlp_http_host),
        grafana=_exposed(settings, "grafana", GRAFANA, exposure.grafana_host),
        traces=inside(settings, "jaeger", JAEGER, "readers"),
        metrics=inside(settings, "prometheus", PROMETHEUS, "readers"),
        logs=inside(settings, "loki", LOKI, "readers"),
    )


def inside(
    settings: Settings, service: str, port: int, audience: Literal["clients", "readers"] = "clients"
) -> Exposure:
    """Return a Service's address, as any pod in the cluster writes it."""
    host = f"{service}.{settings.kubernetes.namespace}.svc"
    return Exposure(host=host, port=port, audience=audience)


def _exposed(settings: Settings, service: str, port: int, host: HostName | None) -> Exposure:
    section = settings.kubernetes.exposure
    if host is None or section.type == "ClusterIP":
        return inside(settings, service, port)
    encrypted = section.encrypted
    if section.type != "LoadBalancer":
        port = 443 if encrypted else 80
    return Exposure(host=host, port=port, scheme="https" if encrypted else "http", audience="everybody")
