"""Grafana of phase 4: replicas with one database, logins, contact points, data sources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from components.grafana.cluster import POOLS
from components.values.documents import text
from tests.support.data_sources import links, links_of_every_phase
from tests.support.manifests import Tree, tree
from tests.support.phase4 import grafana_settings, objects_of
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS


def secret_items(volume: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the files of a pod's volume that come out of Secrets."""
    for source in volume.get("projected", {}).get("sources", ()):
        yield from source.get("secret", {}).get("items", ())


def test_replicas_may_go_while_the_database_is_away(phase4_small: Tree) -> None:
    """None of them is ready then, and none holds anything that the others would lack."""
    budget = phase4_small.get("PodDisruptionBudget", "grafana")["spec"]
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    kept = phase4_small.get("PodDisruptionBudget", "mimir")["spec"]
    assert kept["unhealthyPodEvictionPolicy"] == "IfHealthyBudget"


def test_no_replica_is_restarted_because_its_database_is_away(phase4_small: Tree) -> None:
    """``/api/health`` answers 503 then, ``/healthz`` as long as there is a web server."""
    (container,) = phase4_small.program("grafana").containers
    asked = {
        kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")
    }
    assert asked == {"startup": "/healthz", "readiness": "/api/health", "liveness": "/healthz"}


def test_replicas_hear_each_other(phase4_small: Tree) -> None:
    found = phase4_small.program("grafana")
    assert found.object["spec"]["replicas"] == 2
    gossip = {(9094, "TCP"), (9094, "UDP")}
    assert gossip <= found.ports
    service = objects_of("phase4-small").get("Service", "grafana-headless")
    assert gossip <= {(port["port"], port["protocol"]) for port in service["spec"]["ports"]}
    assert service["spec"]["publishNotReadyAddresses"] is True
    environment = found.environment()
    assert environment["GF_UNIFIED_ALERTING_HA_PEERS"] == "grafana-headless:9094"
    assert environment["GF_UNIFIED_ALERTING_HA_ADVERTISE_ADDRESS"] == "$(POD_IP):9094"
    assert environment["GF_DATABASE_HOST"] == "postgres:5432"


@pytest.mark.parametrize(("replicas", "each"), [(2, 13), (3, 10), (4, 8), (10, 3)])
def test_all_replicas_together_leave_the_database_connections(replicas: int, each: int) -> None:
    config = {**OBJECT_VARIANTS["phase4-small"], "grafana": {"replicas": replicas}}
    found = tree(run_program(config), config).program("grafana")
    assert found.environment()["GF_DATABASE_MAX_OPEN_CONN"] == str(each)
    allowed = re.search(r"^max_connections = (\d+)$", text("postgres/postgresql.conf"), re.MULTILINE)
    assert allowed is not None
    assert POOLS * (replicas + found.object["spec"]["strategy"]["rollingUpdate"]["maxSurge"]) * each <= (
        int(allowed[1]) - 20
    )


@pytest.mark.parametrize("name", ["phase4-small", "phase4-everything-set"])
def test_secrets_are_in_files_and_in_no_variable(name: str) -> None:
    """A name of a file in a variable would not do: the image's own script exports what is in it."""
    found = objects_of(name)
    grafana = found.program("grafana")
    settings = grafana_settings(found)
    named = {
        (section, key): value for section in settings.sections() for key, value in settings[section].items()
    }
    more = {
        ("smtp", "password"): "smtp-password",
        ("auth.generic_oauth", "client_secret"): "oidc-client-secret",
    }
    files = {
        ("security", "admin_password"): "admin-password",
        ("security", "secret_key"): "secret-key",
        ("database", "password"): "database-password",
        **(more if name == "phase4-everything-set" else {}),
    }
    assert named == {key: f"$__file{{/etc/grafana/secrets/{file}}}" for key, file in files.items()}
    kept = {item["path"] for volume in grafana.pod["volumes"] for item in secret_items(volume)}
    assert {f"secrets/{file}" for file in files.values()} <= kept
    secret = re.compile(r"PASSWORD|SECRET|FILE$")
    assert [name for name in grafana.environment() if secret.search(name)] == []


@pytest.mark.parametrize("variant", OBJECT_VARIANTS)
def test_every_link_leads_to_a_data_source(variant: str) -> None:
    found = objects_of(variant)
    files = found.files(found.program("grafana"))
    sources = yaml.safe_load(files["provisioning/datasources/datasources.yaml"])["datasources"]
    uids = {source["uid"] for source in sources} | {"__expr__", "-- Grafana --"}
    named = set(re.findall(r'[dD]atasource[uU]id"?: "?([\w-]+)', json.dumps(sources)))
    assert named <= uids
    boards = {path: json.loads(text) for path, text in files.items() if path.endswith(".json")}
    assert {"dashboards/stack-health.json", "dashboards/stores.json"} <= boards.keys()
    for path, board in boards.items():
        assert (
            set(re.findall(r'"datasource": {"type": "\w+", "uid": "([^"]+)"}', json.dumps(board))) <= uids
        ), path


def test_logins_and_contact_points_come_from_the_settings() -> None:
    found = objects_of("phase4-everything-set")
    grafana = found.program("grafana")
    environment = grafana.environment()
    prefix = "GF_AUTH_GENERIC_OAUTH_"
    assert {
        name.removeprefix(prefix): value for name, value in environment.items() if name.startswith(prefix)
    } == {
        "ENABLED": "true",
        "NAME": "Example",
        "CLIENT_ID": "grafana",
        "AUTH_URL": "https://login.example.com/authorize",
        "TOKEN_URL": "https://login.example.com/token",
        "API_URL": "https://login.example.com:8443/userinfo",
        "SCOPES": "openid profile email",
        "USE_PKCE": "true",
        "USE_REFRESH_TOKEN": "false",
        "ALLOW_SIGN_UP": "true",
        "ALLOW_ASSIGN_GRAFANA_ADMIN": "false",
        "AUTO_LOGIN": "true",
        "ROLE_ATTRIBUTE_PATH": "contains(groups, 'sre') && 'Admin' || 'Viewer'",
        "ROLE_ATTRIBUTE_STRICT": "true",
        "ALLOWED_DOMAINS": "example.com example.org",
        "ALLOWED_GROUPS": '["sre", "Software Engineers"]',
        "GROUPS_ATTRIBUTE_PATH": "realm.groups",
    }
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert environment["GF_SERVER_ROOT_URL"] == "https://grafana.example.com"
    assert environment["GF_SECURITY_COOKIE_SECURE"] == "true"
    assert environment["GF_DATABASE_SSL_MODE"] == "verify-full"
    files = found.files(grafana)
    points = yaml.safe_load(files["provisioning/alerting/contact-points.yaml"])
    assert [point["name"] for point in points["contactPoints"]] == ["on-call", "team", "tickets", "owners"]
    (policy,) = points["policies"]
    assert [policy["receiver"], *(route["receiver"] for route in policy["routes"])] == [
        "on-call",
        "on-call",
        "team",
        "tickets",
        "owners",
    ]
    assert "resetPolicies" not in points
    alertmanager = found.document("mimir", "alertmanager.yaml")
    assert [route["receiver"] for route in alertmanager["route"]["routes"]] == [
        "on-call",
        "team",
        "tickets",
        "owners",
    ]
    assert alertmanager["receivers"][1]["pagerduty_configs"] == [
        {
            "routing_key_file": "/etc/mimir/secrets/contact-on-call",
            "client": "Grafana",
            "client_url": "https://grafana.example.com/alerting/groups?alertmanager=Alertmanager",
            "send_resolved": True,
        }
    ]


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://login.example.com#x", 80),
        ("https://login.example.com?at=noon:30", 443),
        ("https://login.example.com:8443?t=1", 8443),
        ("https://login.example.com:8443/token?t=1", 8443),
    ],
)
def test_grafana_may_connect_to_the_port_of_every_form_of_url(url: str, port: int) -> None:
    """One of the provider, one of Pyroscope."""
    oidc = {**OBJECT_VARIANTS["phase4-everything-set"]["grafana"]["oidc"], "tokenUrl": url, "apiUrl": url}
    grafana = {"rootUrl": "https://grafana.example.com", "oidc": oidc, "profilesUrl": url}
    config = {**OBJECT_VARIANTS["phase4-small"], "grafana": grafana}
    rules = tree(run_program(config), config).get("NetworkPolicy", "grafana-egress")["spec"]["egress"]
    outside = {one["port"] for rule in rules if "to" not in rule for one in rule["ports"]}
    assert outside - {53} == {port}


@pytest.mark.parametrize(("name", "backend"), [("phase4-small", "mimir"), ("phase4-split", "mimir-backend")])
def test_grafana_asks_the_query_gateway(name: str, backend: str) -> None:
    found = objects_of(name)
    document = found.document("grafana", "provisioning/datasources/datasources.yaml")
    sources = {source["uid"]: source for source in document["datasources"]}
    assert {uid: source["url"] for uid, source in sources.items()} == {
        "tempo": "http://query-gateway:3200",
        "mimir": "http://query-gateway:9009/prometheus",
        "mimir-alertmanager": "http://query-gateway:9009/alertmanager",
        "loki": "http://query-gateway:3100",
    }
    assert sources["mimir-alertmanager"]["jsonData"]["implementation"] == "prometheus"
    assert found.program("query-gateway").environment()["ALERTMANAGER"] == f"{backend}:9009"


def test_grafana_begins_with_its_own_policies_where_there_is_no_contact_point(phase4_small: Tree) -> None:
    """A policy that names one that is not there would keep Grafana from starting."""
    path = "provisioning/alerting/contact-points.yaml"
    points = phase4_small.document("grafana", path)
    assert points == {"apiVersion": 1, "resetPolicies": [1], "contactPoints": [], "policies": []}


LINKED = {
    *links_of_every_phase("tempo", "mimir", "loki"),
    ("tempo", "serviceMap", "mimir"),
    ("mimir", "alertmanagerUid", "mimir-alertmanager"),
    ("loki", "alertmanagerUid", "mimir-alertmanager"),
}
PROFILES = {("tempo", "tracesToProfiles", "pyroscope")}
PHASE3 = links_of_every_phase("jaeger", "prometheus", "loki-phase3")


@pytest.mark.parametrize(
    ("variant", "linked"),
    [
        ("phase4-small", LINKED),
        ("phase4-everything-set", LINKED | PROFILES),
        ("phase4-changing-over", LINKED | PHASE3),
    ],
)
def test_data_sources_link_to_each_other(variant: str, linked: set[tuple[str, str, str]]) -> None:
    path = "provisioning/datasources/datasources.yaml"
    sources = objects_of(variant).document("grafana", path)["datasources"]
    assert links(sources) == linked
    assert all(source["editable"] is False for source in sources)
    assert [source["uid"] for source in sources if source.get("isDefault")] == ["mimir"]


def test_exemplars_of_collectors_and_of_tempo_lead_to_their_trace(phase4_small: Tree) -> None:
    """Tempo's metrics generator has a name of its own for the label with the trace's id."""
    found = phase4_small.document("grafana", "provisioning/datasources/datasources.yaml")["datasources"]
    (mimir,) = (source for source in found if source["uid"] == "mimir")
    exemplars = mimir["jsonData"]["exemplarTraceIdDestinations"]
    assert {one["name"]: one["datasourceUid"] for one in exemplars} == {
        "trace_id": "tempo",
        "traceID": "tempo",
    }
    (target,) = phase4_small.document("tempo", "tempo.yaml")["metrics_generator"]["storage"]["remote_write"]
    assert target["send_exemplars"] is True


def test_traces_lead_to_profiles_where_there_are_any(phase4_small: Tree) -> None:
    path = "provisioning/datasources/datasources.yaml"
    without = phase4_small.document("grafana", path)["datasources"]
    assert "pyroscope" not in {source["uid"] for source in without}
    found = {
        source["uid"]: source
        for source in objects_of("phase4-everything-set").document("grafana", path)["datasources"]
    }
    assert found["pyroscope"]["url"] == "http://pyroscope.profiles.svc:4040"
    assert found["tempo"]["jsonData"]["tracesToProfiles"]["datasourceUid"] == "pyroscope"


def test_the_watchdog_is_missed_only_where_it_is_evaluated(phase4_small: Tree) -> None:
    def watched(found: Tree) -> str:
        groups = found.document("grafana", "provisioning/alerting/rules.yaml")["groups"]
        return str(groups[0]["rules"][0]["data"][0]["model"]["expr"])

    assert "Watchdog" in watched(phase4_small)
    assert "Watchdog" not in watched(objects_of("phase4-everything-set"))
