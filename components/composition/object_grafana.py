"""The Grafana of phase 4 over the stores on object storage, and its database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.alerts.contact_points import Contacts
from components.base import StackComponent
from components.composition.addresses import Addresses, grafana_url
from components.composition.object_stores import ObjectStores, bucket_of
from components.grafana.cluster import GrafanaCluster
from components.grafana.database import Database, external_database
from components.grafana_ha import GrafanaHA, GrafanaHAArgs
from components.postgres_store import NAME as POSTGRES
from components.postgres_store import PostgresStore, PostgresStoreArgs
from components.settings import Settings
from components.workload import Platform


def run_clustered_grafana(
    settings: Settings,
    platform: Platform,
    stores: ObjectStores,
    addresses: Addresses,
    *,
    phase3: Mapping[str, str],
) -> GrafanaHA:
    """Run Grafana's database and its replicas over the stores, and over phase 3's if there are any."""
    published = addresses.grafana
    root_url = grafana_url(settings, published)
    database, after = _database(settings, platform, stores)
    args = GrafanaHAArgs(
        image=settings.image_catalogue["grafana"],
        size=settings.store_size.grafana,
        admin_user=settings.grafana.admin_user,
        published=published,
        root_url=root_url,
        data_sources=stores.queries.data_sources,
        existing_secret=settings.kubernetes.existing_secrets.grafana,
        cluster=GrafanaCluster(
            environment=settings.environment,
            replicas=settings.grafana.replicas,
            database=database,
            tenant=settings.stores.tenant,
            phase3=phase3,
            oidc=settings.grafana.oidc,
            contacts=Contacts.of(settings.alerting, root_url),
            runbooks_url=settings.alerting.runbooks_url,
            has_watchdog=settings.stores.mimir.rules == "files",
            profiles_url=settings.grafana.profiles_url,
        ),
    )
    return GrafanaHA("grafana", args, platform=platform, after=[stores.queries, *after])


def _database(
    settings: Settings, platform: Platform, stores: ObjectStores
) -> tuple[Database, Sequence[StackComponent]]:
    section = settings.postgres
    if section.mode == "external":
        return external_database(section), ()
    images, size = settings.image_catalogue, settings.store_size
    args = PostgresStoreArgs(
        image=images["postgres"],
        size=size.postgres,
        dumper=size.dumper,
        uploader=size.uploader,
        section=section,
        client=images["aws-cli"],
        bucket=bucket_of(settings, stores.storage, "backups"),
        metrics=stores.metrics_target(settings.stores.tenant),
    )
    made = PostgresStore(POSTGRES, args, platform=platform, after=stores.storage.ready)
    return made.database, (made,)
