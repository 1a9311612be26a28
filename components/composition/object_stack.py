"""Phase 4: phase 3's path to Tempo, Mimir and Loki on object storage, and several replicas of Grafana."""

from __future__ import annotations

from dataclasses import dataclass, replace

from components.alerts.rules import operator_rules
from components.base import StackComponent
from components.collector_processor import CollectorProcessor
from components.composition.addresses import Addresses, cluster_addresses, inside
from components.composition.consumer_groups import writer_groups
from components.composition.node_stores import NodeStores, run_stores
from components.composition.object_grafana import run_clustered_grafana
from components.composition.object_outputs import ObjectOutputs, object_outputs
from components.composition.object_processors import MIMIR as MIMIR_EXPORTER
from components.composition.object_processors import (
    PHASE3_PROCESSOR,
    counted_by_phase3,
    object_configuration,
    phase3_configuration,
)
from components.composition.object_stores import (
    ObjectStores,
    make_buckets,
    run_object_stores,
)
from components.composition.outputs import outputs
from components.composition.parts import Buffer, Parts, collector_jobs
from components.grafana_ha import PORT as GRAFANA
from components.jaeger_store import METRICS_PORT as JAEGER_METRICS
from components.load_balancer import OBSERVE_PORT
from components.loki_store import PORT as LOKI
from components.metrics_agent import MetricsAgent, MetricsAgentArgs
from components.platform.kubernetes import KubernetesPlatform
from components.prometheus_store import PORT as PROMETHEUS
from components.publication import Exposure
from components.query_gateway import NAME as QUERY_GATEWAY
from components.query_gateway import PORTS
from components.settings import Settings
from components.settings.fixed import fix_buckets

PHASE3_PORTS = {"jaeger": JAEGER_METRICS, "prometheus": PROMETHEUS, "loki": LOKI}
AGENT = "prometheus-agent"


def object_store_cluster(settings: Settings, platform: KubernetesPlatform) -> ObjectOutputs:
    """Phase 4: applications -> gateways -> Kafka -> processors -> stores on object storage -> Grafana."""
    made = _Stack(settings=settings, platform=platform)
    storage = make_buckets(settings)
    fix_buckets(settings.object_storage, settings.environment, storage.made)
    stores = run_object_stores(settings, platform, made.addresses, storage)
    old = made.phase3()
    kafka = made.kafka(stores)
    made.parts.gateway(kafka, made.addresses, scaled=True)
    made.processors(kafka, stores)
    if old is not None and settings.writes_node_stores:
        made.phase3_processors(kafka, old, stores)
    made.parts.copier(kafka)
    made.agent(stores)
    sources = {} if old is None else old.data_sources
    run_clustered_grafana(settings, platform, stores, made.addresses, phase3=sources)
    rules = operator_rules(stores.mimir.rules, settings.alerting.runbooks_url, haproxy=True)
    platform.alert_rules(rules, parent=stores.mimir)
    return object_outputs(settings, outputs(settings, made.addresses, platform="kubernetes"), stores)


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """Creates the parts of one stack."""

    settings: Settings
    platform: KubernetesPlatform

    @property
    def parts(self) -> Parts:
        return Parts(settings=self.settings, platform=self.platform)

    @property
    def addresses(self) -> Addresses:
        """The addresses of phase 3, with those of the new stores behind the query gateway."""
        return replace(
            cluster_addresses(self.settings),
            traces=self._readable("tempo"),
            metrics=self._readable("mimir"),
            logs=self._readable("loki"),
        )

    def _readable(self, store: str) -> Exposure:
        return inside(self.settings, QUERY_GATEWAY, PORTS[store], "readers")

    def phase3(self) -> NodeStores | None:
        """Keep running the stores of phase 3 as they are, unless the settings want them absent."""
        if not self.settings.has_node_stores:
            return None
        jobs = {address.partition(":")[0]: address for address in self._scraped}
        return run_stores(
            self.settings, self.platform, cluster_addresses(self.settings), jobs, discovery="pods"
        )

    def kafka(self, stores: ObjectStores) -> Buffer:
        return self.parts.buffer(self.platform, stores.metrics_target(self.settings.stores.tenant))

    def processors(self, kafka: Buffer, stores: ObjectStores) -> CollectorProcessor:
        args = self.parts.processor_args(kafka, stores.otlp_endpoints)
        groups = writer_groups(self.settings.sampling.mode)
        args = replace(args, autoscaling=self.parts.processor_scaling(kafka, groups))
        document = object_configuration(
            args,
            self.settings.stores.tenant,
            phase3_written=self.settings.writes_node_stores,
            add_deltas=self.settings.adds_deltas,
        )
        after = [kafka, *stores.all]
        return CollectorProcessor(
            "otel-processor", args, platform=self.platform, after=after, document=document
        )

    def phase3_processors(self, kafka: Buffer, old: NodeStores, new: ObjectStores) -> CollectorProcessor:
        """Keep feeding the stores of phase 3; where these processors count spans, Mimir gets the counts."""
        args = self.parts.processor_args(kafka, old.otlp_endpoints)
        mimir = new.otlp_endpoints[MIMIR_EXPORTER]
        document = phase3_configuration(args, mimir, self.settings.stores.tenant)
        after: list[StackComponent] = [kafka, *old.all]
        if counted_by_phase3(self.settings.sampling.mode):
            args = replace(args, stores={**args.stores, MIMIR_EXPORTER: mimir})
            after.append(new.mimir)
        return CollectorProcessor(
            PHASE3_PROCESSOR, args, platform=self.platform, after=after, document=document
        )

    def agent(self, stores: ObjectStores) -> MetricsAgent:
        """Run the Prometheus that scrapes the stack."""
        settings = self.settings
        own = f"{AGENT}:{PROMETHEUS}"
        args = MetricsAgentArgs(
            image=settings.image_catalogue["prometheus"],
            size=settings.store_size.agent,
            environment=settings.environment,
            tenant=settings.stores.tenant,
            write_url=stores.mimir.push_url,
            scraped=tuple(address for address in self._scraped if address != own),
        )
        return MetricsAgent(AGENT, args, platform=self.platform)

    @property
    def _scraped(self) -> list[str]:
        """The addresses of everything that serves metrics."""
        settings = self.settings
        more = (PHASE3_PROCESSOR,) if settings.writes_node_stores else ()
        found = list(collector_jobs(settings, *more).values())
        found += [f"{name}:{port}" for store, port in PORTS.items() for name in settings.store_size.of(store)]
        found += [f"{AGENT}:{PROMETHEUS}", f"grafana:{GRAFANA}", f"{QUERY_GATEWAY}:{OBSERVE_PORT}"]
        old = PHASE3_PORTS if settings.has_node_stores else {}
        return found + [f"{name}:{port}" for name, port in old.items()]
