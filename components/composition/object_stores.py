"""The stores of phase 4 on object storage, and what passes queries on to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.alerts.contact_points import Contacts
from components.alerts.least_replicas import least_replicas
from components.alerts.memory_limits import object_limits
from components.alerts.rules import DUMPS, alert_rules, linked, of_environment, sizing_rules
from components.base import StackComponent
from components.buckets.names import STORES, bucket_names
from components.composition.addresses import Addresses, grafana_url
from components.grafana.backup import backup_name
from components.loki_cluster import LokiCluster, LokiClusterArgs
from components.metrics_target import MetricsTarget
from components.mimir_store import MimirBuckets, MimirStore, MimirStoreArgs
from components.object_storage import ObjectStorage, ObjectStorageArgs
from components.postgres_store import NAME as POSTGRES
from components.query_gateway import NAME as QUERY_GATEWAY
from components.query_gateway import QueryGateway, QueryGatewayArgs
from components.settings import Settings
from components.sizing import declared_rate
from components.sizing.store_parts import PARTS
from components.stores.bucket import StoreBucket
from components.stores.cluster import TENANT_HEADER
from components.tempo_store import TempoStore, TempoStoreArgs
from components.values.documents import texts
from components.workload import Platform


@dataclass(frozen=True, kw_only=True)
class ObjectStores:
    """Tempo, Mimir and Loki as they run.

    Attributes:
        storage: their buckets.
        tempo: traces.
        mimir: metrics, rules, alerts.
        loki: logs.
        queries: what passes queries on to them.
    """

    storage: ObjectStorage
    tempo: TempoStore
    mimir: MimirStore
    loki: LokiCluster
    queries: QueryGateway

    @property
    def all(self) -> tuple[StackComponent, ...]:
        """Every store, to start others after them."""
        return self.tempo, self.mimir, self.loki

    @property
    def otlp_endpoints(self) -> Mapping[str, str]:
        """Exporter of the processors -> endpoint of its store."""
        return {
            "otlp_grpc/tempo": self.tempo.otlp,
            "otlp_http/mimir": self.mimir.otlp_url,
            "otlp_http/loki": self.loki.otlp_url,
        }

    def metrics_target(self, tenant: str) -> MetricsTarget:
        """Return where the stack's own scripts send metrics."""
        return MetricsTarget(endpoint=self.mimir.otlp_url, header=f"{TENANT_HEADER}: {tenant}")


def service_accounts(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the service accounts that may use the buckets of each store."""
    parts = {store: tuple(settings.store_size.of(store)) for store in PARTS}
    if settings.postgres.mode == "builtin":
        parts["backups"] = (backup_name(POSTGRES),)
    return {store: parts.get(store, (store,)) for store in STORES}


def run_object_stores(
    settings: Settings, platform: Platform, addresses: Addresses, storage: ObjectStorage
) -> ObjectStores:
    """Run the three stores once their buckets may be used, Mimir first, which the others write to."""
    made = _Stores(settings, platform, storage)
    mimir = made.mimir(grafana_url(settings, addresses.grafana))
    tempo, loki = made.tempo(mimir), made.loki(mimir)
    queries = made.query_gateway(tempo, mimir, loki, addresses)
    return ObjectStores(storage=storage, tempo=tempo, mimir=mimir, loki=loki, queries=queries)


def bucket_of(settings: Settings, storage: ObjectStorage, purpose: str) -> StoreBucket:
    """Describe the bucket for a purpose to the store that uses it."""
    names = bucket_names(settings.object_storage, settings.environment)
    store = next(store for store, purposes in STORES.items() if purpose in purposes)
    return StoreBucket(
        name=names[purpose],
        bucket=storage.buckets[purpose],
        account=storage.annotations(store),
    )


@dataclass(frozen=True)
class _Stores:
    """Creates the stores of one stack."""

    settings: Settings
    platform: Platform
    storage: ObjectStorage

    def tempo(self, mimir: MimirStore) -> TempoStore:
        settings, size = self.settings, self.settings.store_size
        args = TempoStoreArgs(
            image=settings.image_catalogue["tempo"],
            shape=size.shape,
            sizes=size.of("tempo"),
            bucket=self._bucket("traces"),
            retention=settings.retention.traces,
            oldest_replayed=settings.oldest_replayed,
            decision_wait=settings.sampling.decision_wait,
            largest_request=settings.ingest.max_message_size,
            accepted_rate=size.trace_bytes_per_second,
            max_trace_size=settings.stores.tempo.max_trace_size,
            max_attribute_size=settings.stores.tempo.max_attribute_size,
            max_series=settings.stores.tempo.service_graph_series,
            metrics_url=mimir.push_url,
        )
        return TempoStore("tempo", args, platform=self.platform, after=self._after)

    def mimir(self, grafana: str) -> MimirStore:
        settings, size = self.settings, self.settings.store_size
        own = self._linked("mimir/rules")
        if settings.postgres.mode == "external":
            del own[DUMPS]
        rules = alert_rules(
            object_limits(settings),
            least_replicas(settings),
            settings.kafka.retention,
            copies_counted=settings.counts_copies,
            events_per_second=declared_rate(settings.sizing),
            runbooks_url=settings.alerting.runbooks_url,
        )
        args = MimirStoreArgs(
            image=settings.image_catalogue["mimir"],
            shape=size.shape,
            sizes=size.of("mimir"),
            buckets=MimirBuckets(
                blocks=self._bucket("metrics"),
                ruler=self._bucket("ruler"),
                alertmanager=self._bucket("alertmanager"),
            ),
            tenant=settings.stores.tenant,
            retention=settings.retention.metrics,
            out_of_order=settings.out_of_order,
            series=size.series,
            samples_per_second=size.samples_per_second,
            exemplars=settings.stores.mimir.max_exemplars,
            rules=settings.stores.mimir.rules,
            rule_files={
                **of_environment({**rules, **own}, settings.environment),
                "sizing.yaml": sizing_rules(settings),
            },
            contacts=Contacts.of(settings.alerting, grafana),
        )
        return MimirStore("mimir", args, platform=self.platform, after=self._after)

    def loki(self, mimir: MimirStore) -> LokiCluster:
        settings, size = self.settings, self.settings.store_size
        args = LokiClusterArgs(
            image=settings.image_catalogue["loki"],
            shape=size.shape,
            sizes=size.of("loki"),
            bucket=self._bucket("logs"),
            tenant=settings.stores.tenant,
            retention=settings.retention.logs,
            oldest_replayed=settings.oldest_replayed,
            accepted_rate=size.log_bytes_per_second,
            max_streams=settings.stores.loki.max_streams,
            metrics_url=mimir.push_url,
            alertmanager_url=mimir.alertmanager_url,
            rule_files=of_environment(self._linked("loki/rules"), settings.environment),
        )
        return LokiCluster("loki-cluster", args, platform=self.platform, after=self._after)

    def query_gateway(
        self, tempo: TempoStore, mimir: MimirStore, loki: LokiCluster, addresses: Addresses
    ) -> QueryGateway:
        args = QueryGatewayArgs(
            image=self.settings.image_catalogue["haproxy"],
            size=self.settings.store_size.query_gateway,
            tempo=tempo.query_url,
            mimir=mimir.query_url,
            mimir_rules=self.settings.stores.mimir.rules,
            alertmanager=mimir.alertmanager_url,
            loki=loki.query_url,
            published={"tempo": addresses.traces, "mimir": addresses.metrics, "loki": addresses.logs},
        )
        return QueryGateway(QUERY_GATEWAY, args, platform=self.platform, after=[tempo, mimir, loki])

    def _linked(self, directory: str) -> dict[str, str]:
        return linked(texts(directory, "*.yaml"), self.settings.alerting.runbooks_url)

    @property
    def _after(self) -> Sequence[pulumi.Resource]:
        return self.storage.ready

    def _bucket(self, purpose: str) -> StoreBucket:
        return bucket_of(self.settings, self.storage, purpose)


def make_buckets(settings: Settings) -> ObjectStorage:
    """Create the buckets on AWS, or describe existing ones."""
    args = ObjectStorageArgs(
        storage=settings.object_storage,
        environment=settings.environment,
        namespace=settings.kubernetes.namespace,
        retention=settings.retention,
        service_accounts=service_accounts(settings),
    )
    return ObjectStorage("object-storage", args)
