"""What several replicas of Grafana share: database, gossip, logins, contact points, the stores of phase 4."""

from __future__ import annotations

import json
from collections.abc import Mapping
from configparser import ConfigParser
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from components.alerts.contact_points import Contacts, contact_calls, contact_files, grafana_contact_points
from components.alerts.mail import grafana_mail
from components.alerts.rules import linked
from components.grafana.dashboards import cluster_dashboards
from components.grafana.database import Database
from components.sections.grafana import OidcSection
from components.values.documents import Document, text, texts
from components.values.secret_text import ExistingSecret, SecretText
from components.workload import Port, callee, headless

GOSSIP_PORT = 9094
DATABASE_PASSWORD, DATABASE_AUTHORITY = "secrets/database-password", "secrets/database-ca.crt"
CLIENT_SECRET = "secrets/oidc-client-secret"  # noqa: S105 - a path
SETTINGS = "grafana.ini"
"""The image expects it in the configuration folder, and does not start without it."""

CONNECTIONS, MOST_CONNECTIONS = 80, 20
"""Database connections of all replicas together, and of one pool. PostgreSQL takes 100, some of which are for
dumps, its own superusers, and people."""
POOLS = 2
"""Pools per replica, each as large as the setting says; dashboards and folders have a separate one."""
ROLLING = 1
"""Extra replicas during an update, as a new one starts before an old one stops."""

PROFILES = "pyroscope"
REFRESHING = "offline_access"
"""The scope with which a provider issues refresh tokens; some refuse a sign-in that requests it."""


@dataclass(frozen=True, kw_only=True)
class GrafanaCluster:
    """Settings of several replicas.

    Attributes:
        replicas: how many.
        database: what they share.
        tenant: whose telemetry the data sources show.
        environment: which its own alerts name.
        phase3: uid of a data source of phase 3 -> URL of its store, while that is still readable.
        oidc: sign-in by an OpenID Connect provider.
        contacts: who is notified of alerts.
        has_watchdog: the stack's own rules are evaluated, including the alert that always fires.
        profiles_url: a Pyroscope that traces lead to.
        runbooks_url: address of ``docs/`` in the links of alerts.
    """

    replicas: int
    database: Database
    tenant: str
    environment: str
    phase3: Mapping[str, str]
    oidc: OidcSection | None = None
    contacts: Contacts = field(default_factory=Contacts)
    has_watchdog: bool = True
    profiles_url: str | None = None
    runbooks_url: str | None = None


def cluster_ports() -> list[Port]:
    """Return the ports on which the replicas tell each other which alerts they have sent."""
    return [
        Port(name="gossip", number=GOSSIP_PORT, speaks="bytes"),
        Port(name="gossip-udp", number=GOSSIP_PORT, speaks="bytes", transport="UDP"),
    ]


def cluster_calls(cluster: GrafanaCluster) -> list[str]:
    """List everything that Grafana connects to besides its data sources."""
    found = [cluster.database.address, *contact_calls(cluster.contacts)]
    found += [callee(url) for url in cluster.phase3.values()]
    if cluster.profiles_url is not None:
        found.append(callee(cluster.profiles_url))
    if cluster.oidc is not None:
        found += sorted({callee(url) for url in (cluster.oidc.token_url, cluster.oidc.api_url)})
    return found


def cluster_secrets(cluster: GrafanaCluster) -> dict[str, SecretText]:
    """Return the secret files of database, logins and contact points."""
    found: dict[str, SecretText] = {DATABASE_PASSWORD: cluster.database.password}
    if cluster.database.authority is not None:
        found[DATABASE_AUTHORITY] = cluster.database.authority
    if cluster.oidc is not None:
        found[CLIENT_SECRET] = ExistingSecret(name=cluster.oidc.client_secret, key="client-secret")
    return {**found, **contact_files(cluster.contacts)}


def cluster_environment(name: str, cluster: GrafanaCluster, directory: str) -> dict[str, str]:
    """Return the variables of database, gossip, e-mail and logins, except secrets, which are in the files."""
    database = cluster.database
    found = {
        "GF_DATABASE_TYPE": "postgres",
        "GF_DATABASE_HOST": database.address,
        "GF_DATABASE_NAME": database.name,
        "GF_DATABASE_USER": database.username,
        "GF_DATABASE_SSL_MODE": database.tls,
        "GF_DATABASE_MAX_OPEN_CONN": str(_connections(cluster.replicas)),
        "GF_UNIFIED_ALERTING_HA_PEERS": f"{headless(name)}:{GOSSIP_PORT}",
        "GF_UNIFIED_ALERTING_HA_LISTEN_ADDRESS": f"0.0.0.0:{GOSSIP_PORT}",
        "GF_UNIFIED_ALERTING_HA_ADVERTISE_ADDRESS": f"$(POD_IP):{GOSSIP_PORT}",
        "GF_UNIFIED_ALERTING_HA_PEER_TIMEOUT": "15s",
        # A replica that went away comes back under another address.
        "GF_UNIFIED_ALERTING_HA_RECONNECT_TIMEOUT": "2m",
    }
    if database.authority is not None:
        found["GF_DATABASE_CA_CERT_PATH"] = f"{directory}/{DATABASE_AUTHORITY}"
    if cluster.contacts.smtp is not None:
        found |= grafana_mail(cluster.contacts.smtp)
    return found | ({} if cluster.oidc is None else _oidc(cluster.oidc))


def _connections(replicas: int) -> int:
    """Give what one pool of one replica may open."""
    return min(MOST_CONNECTIONS, CONNECTIONS // (POOLS * (replicas + ROLLING)))


def cluster_files(cluster: GrafanaCluster, urls: Mapping[str, str], directory: str) -> dict[str, str]:
    """Return the settings file, the provisioning files and the dashboards of phase 4."""
    points = grafana_contact_points(cluster.contacts.points, directory)
    alerting = "provisioning/alerting"
    return {
        SETTINGS: _settings(cluster),
        "provisioning/datasources/datasources.yaml": _sources(cluster, urls).dump(),
        **{
            f"provisioning/{path}": found
            for path, found in texts("grafana/provisioning", "dashboards/*").items()
        },
        f"{alerting}/contact-points.yaml": points.dump(),
        **linked({f"{alerting}/rules.yaml": _rules(cluster).dump()}, cluster.runbooks_url),
        **{f"dashboards/{path}": content for path, content in cluster_dashboards().items()},
    }


def _settings(cluster: GrafanaCluster) -> str:
    """Leave out references to missing secret files, with which Grafana would not start."""
    parser = ConfigParser(interpolation=None)
    parser.read_string(text(f"grafana-cluster/{SETTINGS}"))
    if cluster.oidc is None:
        parser.remove_section("auth.generic_oauth")
    if cluster.contacts.smtp is None or cluster.contacts.smtp.username is None:
        parser.remove_section("smtp")
    written = StringIO()
    parser.write(written)
    return written.getvalue().rstrip("\n") + "\n"


def _rules(cluster: GrafanaCluster) -> Document:
    """Return Grafana's own alerts. Where nobody evaluates Watchdog, the first asks whether Mimir answers."""
    document = Document.read("grafana-cluster/provisioning/alerting/rules.yaml")
    for rule in document.get("groups", 0, "rules"):
        rule["labels"]["environment"] = cluster.environment
    if not cluster.has_watchdog:
        document.set("groups", 0, "rules", 0, "data", 0, "model", "expr", to="vector(1)")
    return document


def _sources(cluster: GrafanaCluster, urls: Mapping[str, str]) -> Document:
    """Set the data sources, and show phase 3's beside them while its stores are readable."""
    document = Document.read("grafana-cluster/provisioning/datasources/datasources.yaml")
    if cluster.profiles_url is not None:
        urls = {**urls, PROFILES: cluster.profiles_url}
    present = [source for source in document.get("datasources") if source["uid"] in urls]
    for source in present:
        source["url"] = urls[source["uid"]]
        source["secureJsonData"]["httpHeaderValue1"] = cluster.tenant
        if PROFILES not in urls:
            source["jsonData"].pop("tracesToProfiles", None)
    document.set("datasources", to=present)
    if cluster.phase3:
        old = Document.read("grafana/provisioning/datasources/datasources.yaml").get("datasources")
        document.get("datasources").extend(_renamed(source, cluster.phase3) for source in old)
    return document


def _renamed(source: dict[str, Any], urls: Mapping[str, str]) -> dict[str, Any]:
    """Rename a data source of phase 3, and its uid, to what phase 4 does not use."""
    found: dict[str, Any] = json.loads(
        json.dumps(source).replace('"datasourceUid": "loki"', '"datasourceUid": "loki-phase3"')
    )
    uid = "loki-phase3" if source["uid"] == "loki" else source["uid"]
    url = urls[source["uid"]]
    return {**found, "uid": uid, "name": f"{source['name']} (phase 3)", "url": url, "isDefault": False}


def _oidc(section: OidcSection) -> dict[str, str]:
    prefix = "GF_AUTH_GENERIC_OAUTH_"
    found = {
        "ENABLED": "true",
        "NAME": section.name,
        "CLIENT_ID": section.client_id,
        "AUTH_URL": section.auth_url,
        "TOKEN_URL": section.token_url,
        "API_URL": section.api_url,
        "SCOPES": " ".join(section.scopes),
        "USE_PKCE": "true",
        "USE_REFRESH_TOKEN": "true" if REFRESHING in section.scopes else "false",
        "ALLOW_SIGN_UP": "true",
        "ALLOW_ASSIGN_GRAFANA_ADMIN": "false",
        "AUTO_LOGIN": "true" if section.only else "false",
    }
    if section.role_attribute_path is None:
        found["SKIP_ORG_ROLE_SYNC"] = "true"
    else:
        found |= {"ROLE_ATTRIBUTE_PATH": section.role_attribute_path, "ROLE_ATTRIBUTE_STRICT": "true"}
    if section.allowed_domains:
        found["ALLOWED_DOMAINS"] = " ".join(section.allowed_domains)
    if section.allowed_groups:
        # As JSON: names of groups may have spaces.
        found["ALLOWED_GROUPS"] = json.dumps(section.allowed_groups)
        found["GROUPS_ATTRIBUTE_PATH"] = section.groups_attribute_path
    login = {"GF_AUTH_DISABLE_LOGIN_FORM": "true"} if section.only else {}
    return {f"{prefix}{key}": value for key, value in found.items()} | login
