"""Grafana: dashboards, exploration, alerting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.base import StackComponent, data_volumes, limits
from components.grafana.cluster import (
    SETTINGS,
    GrafanaCluster,
    cluster_calls,
    cluster_environment,
    cluster_files,
    cluster_ports,
    cluster_secrets,
)
from components.images import Image
from components.publication import Publication
from components.sizing import GRAFANA_SHARE, ProgramSize
from components.values.documents import Document, text, texts
from components.values.quantities import gibibytes
from components.values.secret_text import SecretText
from components.workload import Platform, Port, Probe, Workload, callee

CONFIG_DIRECTORY, DATA = "/etc/grafana", "/var/lib/grafana"
PORT = 3000
QUERY_SECONDS = 240
"""As long as Loki, Tempo and Mimir give answers (``http_server_write_timeout``)."""

HOME_DASHBOARD = "dashboards/stack-health.json"
INDEX_SIZE = gibibytes(1)
"""Room for the search index, which each phase 4 replica rebuilds; beyond it the pod would be evicted."""
ADMIN_PASSWORD, SECRET_KEY = "secrets/admin-password", "secrets/secret-key"


@dataclass(frozen=True, kw_only=True)
class GrafanaHAArgs:
    """Settings of Grafana.

    Attributes:
        image: Grafana's image.
        size: its limits.
        admin_user: login of the administrator.
        published: where it is reachable from outside.
        root_url: address people type.
        data_sources: uid of a data source -> its URL.
        existing_secret: name of a secret with the administrator's password and the encryption key.
        cluster: what several replicas share; None means a single one on SQLite.
    """

    image: Image
    size: ProgramSize
    admin_user: str
    published: Publication
    root_url: str
    data_sources: Mapping[str, str]
    existing_secret: str | None = None
    cluster: GrafanaCluster | None = None


class GrafanaHA(StackComponent):
    """Grafana with provisioned data sources and dashboards; one replica on SQLite, or several on PostgreSQL.

    The administrator's password and the key that encrypts its database are generated once per stack.
    """

    def __init__(
        self, name: str, args: GrafanaHAArgs, *, platform: Platform, after: Sequence[StackComponent] = ()
    ) -> None:
        """Run Grafana once its data sources answer."""
        super().__init__(name, platform)
        secrets = {
            path: self.secret(path.rpartition("/")[2], args.existing_secret)
            for path in (ADMIN_PASSWORD, SECRET_KEY)
        }
        workload = _workload(name, args, secrets)
        if args.cluster is not None:
            workload = _clustered(workload, args.cluster)
        self.run(workload, after)


def grafana_files(args: GrafanaHAArgs) -> dict[str, str]:
    """Return the settings file and the provisioning files: data sources, dashboards and who loads them."""
    if args.cluster is not None:
        return cluster_files(args.cluster, args.data_sources, CONFIG_DIRECTORY)
    sources = Document.read("grafana/provisioning/datasources/datasources.yaml")
    for source in sources.get("datasources"):
        source["url"] = args.data_sources[source["uid"]]
    dashboards = texts("grafana/dashboards", "*.json")
    return {
        SETTINGS: text(f"grafana/{SETTINGS}"),
        "provisioning/datasources/datasources.yaml": sources.dump(),
        **{
            f"provisioning/{path}": content
            for path, content in texts("grafana/provisioning", "dashboards/*").items()
        },
        **{f"dashboards/{path}": content for path, content in dashboards.items()},
    }


def _environment(args: GrafanaHAArgs) -> dict[str, str]:
    return {
        "GF_SECURITY_ADMIN_USER": args.admin_user,
        "GF_SERVER_ROOT_URL": args.root_url,
        "GF_SECURITY_COOKIE_SECURE": "true" if args.root_url.startswith("https://") else "false",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        # The image's own plugins are on a read-only disk; an update would delete and not replace them.
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{CONFIG_DIRECTORY}/{HOME_DASHBOARD}",
        "GF_LOG_CONSOLE_FORMAT": "json",
        # Longer than the stores work on a query, so that their own reason is shown. By default 30 s.
        "GF_DATAPROXY_TIMEOUT": str(QUERY_SECONDS),
    }


def _workload(name: str, args: GrafanaHAArgs, secrets: Mapping[str, SecretText]) -> Workload:
    return Workload(
        name=name,
        image=args.image,
        environment=_environment(args),
        config_directory=CONFIG_DIRECTORY,
        files=grafana_files(args),
        secret_files=secrets,
        ports=[Port(name="http", number=PORT, published=args.published)],
        scraped="http",
        calls=[callee(url) for url in args.data_sources.values()],
        probe=Probe(
            port=PORT,
            path="/api/health",
            alive="/healthz",
            command=("wget", "-q", "-O", "/dev/null", f"http://localhost:{PORT}/api/health"),
        ),
        resources=replace(limits(args.size), go_share=GRAFANA_SHARE),
        volumes=data_volumes("grafana-data", DATA, args.size),
    )


def _clustered(workload: Workload, cluster: GrafanaCluster) -> Workload:
    """Turn it into one of several replicas: what it writes outlives it only in the database."""
    return replace(
        workload,
        replicas=cluster.replicas,
        peers=True,
        environment={
            **workload.environment,
            **cluster_environment(workload.name, cluster, CONFIG_DIRECTORY),
        },
        secret_files={**workload.secret_files, **cluster_secrets(cluster)},
        ports=[*workload.ports, *cluster_ports()],
        calls=[*workload.calls, *cluster_calls(cluster)],
        writable=[*workload.writable, DATA],
        writable_size=INDEX_SIZE,
    )
