"""The stores of phases 1 to 3, one process each, and the Grafana that reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from components.alerts.least_replicas import least_replicas
from components.alerts.memory_limits import node_limits
from components.alerts.rules import alert_rules
from components.composition.addresses import Addresses, grafana_url
from components.grafana_ha import GrafanaHA, GrafanaHAArgs
from components.jaeger_store import JaegerStore, JaegerStoreArgs
from components.loki_store import LokiStore, LokiStoreArgs
from components.metrics_target import MetricsTarget
from components.prometheus_store import Discovery, PrometheusStore, PrometheusStoreArgs
from components.publication import Publication
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.settings import Settings
from components.settings.expiry import first_to_end
from components.sizing import declared_rate
from components.workload import Platform


@dataclass(frozen=True, kw_only=True)
class NodeStores:
    """Jaeger, Prometheus and Loki as they run."""

    jaeger: JaegerStore
    prometheus: PrometheusStore
    loki: LokiStore

    @property
    def all(self) -> tuple[JaegerStore, PrometheusStore, LokiStore]:
        """Every store, to start others after them."""
        return self.jaeger, self.prometheus, self.loki

    @property
    def otlp_endpoints(self) -> Mapping[str, str]:
        """Exporter of the collectors' configuration files -> endpoint of its store."""
        return {
            "otlp_grpc/jaeger": self.jaeger.deployed.address("otlp-grpc"),
            "otlp_http/prometheus": f"{self.prometheus.deployed.url('http')}/api/v1/otlp",
            "otlp_http/loki": f"{self.loki.deployed.url('http')}/otlp",
        }

    @property
    def metrics_target(self) -> MetricsTarget:
        """Where programs that have no collector's exporter send metrics."""
        return MetricsTarget(endpoint=self.otlp_endpoints["otlp_http/prometheus"])

    @property
    def data_sources(self) -> Mapping[str, str]:
        """Uid of Grafana's data source -> URL of its store."""
        return {
            "jaeger": self.jaeger.deployed.url("query"),
            "prometheus": self.prometheus.deployed.url("http"),
            "loki": self.loki.deployed.url("http"),
        }


def run_stores(
    settings: Settings,
    platform: Platform,
    addresses: Addresses,
    jobs: Mapping[str, str] | None = None,
    *,
    discovery: Discovery = "names",
) -> NodeStores:
    """Run the three stores; ``jobs`` are scraped besides what every phase has."""
    jaeger = _jaeger(settings, addresses)
    prometheus = _prometheus(settings, addresses, jobs or {}, discovery)
    loki = _loki(settings, addresses)
    return NodeStores(
        jaeger=JaegerStore("jaeger", jaeger, platform=platform),
        prometheus=PrometheusStore("prometheus", prometheus, platform=platform),
        loki=LokiStore("loki", loki, platform=platform),
    )


def _jaeger(settings: Settings, addresses: Addresses) -> JaegerStoreArgs:
    return JaegerStoreArgs(
        image=settings.image_catalogue["jaeger"],
        size=settings.size.programs["jaeger"],
        retention=settings.retention.traces,
        largest_request=settings.ingest.max_message_size,
        published=addresses.traces,
    )


def _prometheus(
    settings: Settings, addresses: Addresses, jobs: Mapping[str, str], discovery: Discovery
) -> PrometheusStoreArgs:
    return PrometheusStoreArgs(
        image=settings.image_catalogue["prometheus"],
        size=settings.size.programs["prometheus"],
        environment=settings.environment,
        retention=settings.retention.metrics,
        retention_size=settings.size.metrics_size,
        out_of_order=settings.out_of_order,
        rule_files=_alert_rules(settings),
        alertmanagers=settings.alerting.alertmanagers if settings.phase < ON_OBJECT_STORAGE else (),
        jobs=jobs,
        discovery=discovery,
        published=addresses.metrics,
    )


def _alert_rules(settings: Settings) -> dict[str, str]:
    """Set the rules that Prometheus evaluates; in phase 4 the copies of Kafka's partitions are Mimir's."""
    return alert_rules(
        node_limits(settings),
        least_replicas(settings),
        settings.kafka.retention,
        copies_counted=settings.counts_copies and settings.phase < ON_OBJECT_STORAGE,
        events_per_second=declared_rate(settings.sizing),
        certificate_end=_certificate_end(settings),
        runbooks_url=settings.alerting.runbooks_url,
    )


def _certificate_end(settings: Settings) -> datetime | None:
    tls = settings.ingest.tls
    return None if tls is None or settings.phase >= ON_KUBERNETES else first_to_end(tls)[1]


def _loki(settings: Settings, addresses: Addresses) -> LokiStoreArgs:
    return LokiStoreArgs(
        image=settings.image_catalogue["loki"],
        size=settings.size.programs["loki"],
        retention=settings.retention.logs,
        oldest_replayed=settings.oldest_replayed if settings.phase >= WITH_KAFKA else None,
        accepted_rate=settings.size.log_bytes_per_second,
        published=addresses.logs,
    )


def run_grafana(
    settings: Settings, platform: Platform, stores: NodeStores, published: Publication
) -> GrafanaHA:
    """Run Grafana over the stores, after them."""
    return GrafanaHA(
        "grafana",
        GrafanaHAArgs(
            image=settings.image_catalogue["grafana"],
            size=settings.size.programs["grafana"],
            admin_user=settings.grafana.admin_user,
            published=published,
            root_url=grafana_url(settings, published),
            data_sources=stores.data_sources,
            existing_secret=settings.kubernetes.existing_secrets.grafana,
        ),
        platform=platform,
        after=stores.all,
    )
