"""Phase 4's objects: what holds for every stack, who reaches whom, where secrets are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from typing import Any

import pytest
import yaml

from components.documents import CONFIGS, text
from components.grafana_cluster import POOLS
from tests.kubernetes.rules import RULES
from tests.support.manifests import Program, Tree, name_of, tree
from tests.support.program import Result, run_program
from tests.support.variants import CLUSTER_VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS

FOUND_AT_RUN_TIME = re.compile(
    r"(?P<source>[a-z]+)\S* -> (?P=source)\S*: .*"  # members of one ring, of one store, and the dumps
    r"|\S+ -> \(outside\):\d+: .*"  # buckets, contact points, databases: their addresses are in no text
    r"|\(outside\) -> (prometheus|jaeger|loki):\d+: .*"  # no output names phase 3's stores any more
)
RUNBOOK = "docs/runbooks/alerts-phase4.md"
OTHERS_SECRETS = re.compile(
    r": Secret (s3-credentials|s3-ca|slack|tickets|pagerduty|grafana-\w+|rds-ca) is not"
)


def built(name: str) -> tuple[Result, Tree]:
    result = run_program(OBJECT_VARIANTS[name])
    return result, tree(result, OBJECT_VARIANTS[name])


@pytest.fixture(scope="module", params=OBJECT_VARIANTS)
def variant(request: pytest.FixtureRequest) -> tuple[str, Result, Tree]:
    return request.param, *built(request.param)


@pytest.fixture(scope="module")
def small() -> Tree:
    return built("phase4-small")[1]


@pytest.fixture(scope="module")
def changing() -> Tree:
    return built("phase4-changing-over")[1]


def program(found: Tree, name: str) -> Program:
    return next(one for one in found.programs() if one.name == name)


def document(found: Tree, name: str, path: str) -> Any:
    return yaml.safe_load(found.files(program(found, name))[path])


def secret_items(volume: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the files of a pod's volume that come out of Secrets."""
    for source in volume.get("projected", {}).get("sources", ()):
        yield from source.get("secret", {}).get("items", ())


def broken(found: Tree, rule: str) -> Iterator[str]:
    for message in RULES[rule](found):
        if rule == "references_exist" and OTHERS_SECRETS.search(message):
            continue
        if rule == "allowed_edges_are_used" and FOUND_AT_RUN_TIME.match(message.partition(" is ")[0] + " "):
            continue
        yield message


@pytest.mark.parametrize("rule", RULES)
def test_rules_of_every_stack(variant: tuple[str, Result, Tree], rule: str) -> None:
    assert list(broken(variant[2], rule)) == []


def test_what_is_rendered_for_git_has_no_secret() -> None:
    assert built("phase4-render")[1].of("Secret") == []


def test_three_copies_on_three_replicas(variant: tuple[str, Result, Tree]) -> None:
    found = variant[2]
    for name in ("tempo", "mimir", "loki-cluster"):
        spec = program(found, name).object["spec"]
        assert spec["replicas"] >= 3, name
        assert spec["podManagementPolicy"] == "Parallel", name
        assert len(spec["volumeClaimTemplates"]) == 1, name
        assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain", name
        budget = next(one for one in found.of("PodDisruptionBudget") if one["metadata"]["name"] == name)
        assert budget["spec"]["maxUnavailable"] == 1, name
    factors = (
        document(found, "tempo", "tempo.yaml")["ingester"]["lifecycler"]["ring"]["replication_factor"],
        document(found, "mimir", "mimir.yaml")["ingester"]["ring"]["replication_factor"],
        document(found, "mimir", "mimir.yaml")["store_gateway"]["sharding_ring"]["replication_factor"],
        document(found, "loki-cluster", "loki-cluster.yaml")["common"]["replication_factor"],
    )
    assert factors == (3, 3, 3, 3)


def rings(node: Any, *keys: str) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Find the rings that a configuration file sets, an ingester's of Tempo in the lifecycler around it."""
    for key, child in node.items() if isinstance(node, dict) else ():
        if key in {"ring", "sharding_ring"}:
            yield (*keys, key), node if "address" in node else child
        else:
            yield from rings(child, *keys, key)


@pytest.mark.parametrize(("store", "count"), [("tempo", 3), ("mimir", 8)])
def test_replicas_are_in_every_ring_by_their_address(small: Tree, store: str, count: int) -> None:
    """Else a program looks for the address of eth0, and does not start where no interface has that name."""
    found = dict(rings(document(small, store, f"{store}.yaml")))
    addresses = {keys: ring.get("instance_addr", ring.get("address")) for keys, ring in found.items()}
    assert addresses == dict.fromkeys(found, "${POD_IP}")
    assert len(found) == count


def test_long_attributes_are_kept(small: Tree) -> None:
    most = {
        name: document(found, "tempo", "tempo.yaml")["distributor"]["max_attribute_bytes"]
        for name, found in (("small", small), ("set", built("phase4-everything-set")[1]))
    }
    assert most == {"small": 64 * 2**10, "set": 2**20}


@pytest.mark.parametrize(("largest", "taken"), [(None, 16), ("40MiB", 81)])
def test_tempo_takes_what_a_processor_sends(largest: str | None, taken: int) -> None:
    """From it, from each other, and at once: over the burst it would be told to wait for ever."""
    settings = {**OBJECT_VARIANTS["phase4-small"]}
    if largest is not None:
        settings["ingest"] = {"maxMessageSize": largest}
    found = document(tree(run_program(settings), settings), "tempo", "tempo.yaml")
    receiver = found["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]
    assert receiver["max_recv_msg_size_mib"] == taken
    assert found["server"]["grpc_server_max_recv_msg_size"] == taken * 2**20
    assert found["overrides"]["defaults"]["ingestion"]["burst_size_bytes"] >= taken * 2**20


def test_searches_ask_the_replicas_until_others_find_the_block(small: Tree) -> None:
    found = document(small, "tempo", "tempo.yaml")
    minutes = {
        key: int(value.removesuffix("m"))
        for key, value in (
            ("block", found["ingester"]["max_block_duration"]),
            ("kept", found["ingester"]["complete_block_timeout"]),
            ("list", found["storage"]["trace"]["blocklist_poll"]),
            ("asked", found["query_frontend"]["search"]["query_ingesters_until"]),
        )
    }
    assert minutes["block"] + 2 * minutes["list"] < minutes["asked"] <= minutes["block"] + minutes["kept"]


def test_no_secret_is_in_a_text(variant: tuple[str, Result, Tree]) -> None:
    found = variant[2]
    for one in found.of("ConfigMap"):
        assert "generated-" not in json.dumps(one["data"]), one["metadata"]["name"]
    for pod in found.programs():
        assert "generated-" not in json.dumps(pod.object), pod.name
        for key in ("access_key", "secret_key", "access_key_id", "secret_access_key"):
            assert not any(f"{key}:" in text for text in found.files(pod).values()), f"{pod.name}: {key}"
    assert "generated-" not in str({key: str(value) for key, value in variant[1].outputs.items()})


def test_credentials_of_a_bucket_come_as_a_file(small: Tree) -> None:
    for name in ("tempo", "mimir", "loki-cluster"):
        found = program(small, name)
        path = found.environment()["AWS_SHARED_CREDENTIALS_FILE"]
        assert path == f"/etc/{name.partition('-')[0]}/secrets/credentials"
        sources = found.pod["volumes"][0]["projected"]["sources"]
        assert {"key": "credentials", "path": "secrets/credentials", "mode": 0o440} in [
            item for source in sources if "secret" in source for item in source["secret"]["items"]
        ]


def test_roles_belong_to_the_stores_accounts() -> None:
    result, found = built("phase4-aws")
    users = {"tempo", "mimir", "loki-cluster", "postgres-backup"}
    associated = {
        one.inputs["serviceAccount"]
        for one in result.of("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    }
    assert associated == users
    for store in users:
        assert program(found, store).pod["serviceAccountName"] == store
        assert "AWS_SHARED_CREDENTIALS_FILE" not in program(found, store).environment()


@pytest.mark.parametrize(
    ("variant", "annotation"),
    [("phase4-aws", "otel-stack.io/associated-role"), ("phase4-irsa", "eks.amazonaws.com/role-arn")],
)
def test_pods_roll_with_the_role_of_their_account_and_with_how_they_get_it(
    variant: str, annotation: str
) -> None:
    """Its credentials are chosen when a pod is made, and those that it has then stay its own."""
    found = built(variant)[1]
    stores = {"tempo": "tempo", "mimir": "mimir", "loki-cluster": "loki", "postgres-backup": "backups"}
    for name, store in stores.items():
        said = {annotation: f"arn:aws:iam::123456789012:role/object-storage-{store}"}
        account = found.get("ServiceAccount", name)
        assert account["metadata"]["annotations"] == said
        assert said.items() <= program(found, name).template["metadata"]["annotations"].items()
    assert annotation not in program(found, "grafana").template["metadata"]["annotations"]


@pytest.mark.parametrize(("variant", "opened"), [("phase4-aws", {80, 443}), ("phase4-irsa", {443})])
def test_the_agents_port_is_open_only_where_it_hands_out_roles(variant: str, opened: set[int]) -> None:
    found = built(variant)[1]
    for store in ("tempo", "loki-cluster", "postgres-backup"):
        policy = next(
            one for one in found.of("NetworkPolicy") if one["metadata"]["name"] == f"{store}-egress"
        )
        outside = [rule for rule in policy["spec"]["egress"] if "to" not in rule]
        assert {port["port"] for rule in outside for port in rule["ports"]} - {53} == opened, store


def test_dumps_go_into_the_bucket_for_backups() -> None:
    dumper, uploader = program(built("phase4-small")[1], "postgres-backup").containers
    assert dumper["image"].startswith("postgres:")
    assert uploader["image"].startswith("amazon/aws-cli:")
    assert dumper["volumeMounts"] == uploader["volumeMounts"]
    variables = {one["name"]: one.get("value") for one in uploader["env"]}
    assert variables["BUCKET"] == "acme-dev-backups"
    assert variables["AWS_SHARED_CREDENTIALS_FILE"] == "/etc/postgres-backup/secrets/credentials"


def test_split_keeps_the_volumes_where_they_are() -> None:
    split, single = built("phase4-split")[1], built("phase4-small")[1]
    for name in ("tempo", "mimir", "loki-cluster"):
        one, other = (program(found, name).object["spec"] for found in (split, single))
        assert one["serviceName"] == other["serviceName"]
        assert [claim["metadata"] for claim in one["volumeClaimTemplates"]] == [
            claim["metadata"] for claim in other["volumeClaimTemplates"]
        ]
    targets = {
        one.name: next(arg for arg in one.containers[0]["args"] if arg.startswith("-target="))
        for one in split.programs()
        if one.name.startswith(("tempo", "mimir", "loki"))
    }
    assert targets["tempo"] == "-target=ingester"
    assert targets["mimir"] == "-target=distributor,ingester"
    assert len(targets) == 12


class TestChangingOver:
    def test_both_sets_of_stores_are_fed(self, changing: Tree) -> None:
        new, old = (document(changing, f"otel-processor{end}", "config.yaml") for end in ("", "-phase3"))
        groups = {
            kind: {name: one["group_id"] for name, one in found["receivers"].items() if "group_id" in one}
            for kind, found in (("new", new), ("old", old))
        }
        assert not set(groups["new"].values()) & set(groups["old"].values())
        assert groups["old"] == {
            "kafka/sampled": "otel-sampled-processors",
            "kafka/metrics": "otel-metric-processors",
            "kafka/logs": "otel-log-processors",
        }
        assert groups["new"]["kafka/traces"] == "otel-trace-processors"
        assert {"otlp_grpc/jaeger", "otlp_http/prometheus"} <= old["exporters"].keys()
        assert {"otlp_grpc/tempo", "otlp_http/mimir"} <= new["exporters"].keys()

    def test_only_one_of_them_decides_about_traces(self, changing: Tree) -> None:
        new, old = (
            changing.files(program(changing, f"otel-processor{end}"))["config.yaml"]
            for end in ("", "-phase3")
        )
        assert "tail_sampling" in new
        assert "tail_sampling" not in old
        assert "span_metrics" not in old

    def test_what_jaeger_and_prometheus_would_refuse_is_spared_them_only(self, changing: Tree) -> None:
        """Tempo has a limit of its own, from the settings; Mimir keeps what is good of a request."""
        new, old = (document(changing, f"otel-processor{end}", "config.yaml") for end in ("", "-phase3"))
        for name in ("transform/jaeger", "filter/usual", "filter/unusual", "metrics/unusual"):
            assert name not in str(new)
            assert name in str(old)
        assert old["service"]["pipelines"]["traces/sampled"]["processors"][-1] == "transform/jaeger"

    def test_nothing_of_phase_3_changes_its_volume(self, changing: Tree) -> None:
        claims = {
            name: [
                one["metadata"]["name"]
                for one in program(changing, name).object["spec"]["volumeClaimTemplates"]
            ]
            for name in ("jaeger", "prometheus", "loki")
        }
        assert claims == {"jaeger": ["jaeger-data"], "prometheus": ["prometheus-data"], "loki": ["loki-data"]}

    def test_afterwards_they_are_only_read(self) -> None:
        names = {one.name for one in built("phase4-history")[1].programs()}
        assert {"jaeger", "prometheus", "loki"} <= names
        assert "otel-processor-phase3" not in names

    def test_grafana_shows_both(self, changing: Tree) -> None:
        sources = document(changing, "grafana", "provisioning/datasources/datasources.yaml")["datasources"]
        uids = {source["uid"] for source in sources}
        assert uids == {"tempo", "mimir", "loki", "mimir-alertmanager", "jaeger", "prometheus", "loki-phase3"}
        assert [source["uid"] for source in sources if source.get("isDefault")] == ["mimir"]
        old = next(source for source in sources if source["uid"] == "jaeger")
        assert old["jsonData"]["tracesToLogsV2"]["datasourceUid"] == "loki-phase3"


class TestGrafana:
    def test_replicas_may_go_while_the_database_is_away(self, small: Tree) -> None:
        """None of them is ready then, and none holds anything that the others would lack."""
        budget = small.get("PodDisruptionBudget", "grafana")["spec"]
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        kept = small.get("PodDisruptionBudget", "mimir")["spec"]
        assert kept["unhealthyPodEvictionPolicy"] == "IfHealthyBudget"

    def test_no_replica_is_restarted_because_its_database_is_away(self, small: Tree) -> None:
        """``/api/health`` answers 503 then, ``/healthz`` as long as there is a web server."""
        (container,) = program(small, "grafana").containers
        asked = {
            kind: container[f"{kind}Probe"]["httpGet"]["path"]
            for kind in ("startup", "readiness", "liveness")
        }
        assert asked == {"startup": "/healthz", "readiness": "/api/health", "liveness": "/healthz"}

    def test_replicas_hear_each_other(self, small: Tree) -> None:
        found = program(small, "grafana")
        assert found.object["spec"]["replicas"] == 2
        assert {(9094, "TCP"), (9094, "UDP")} <= found.ports
        environment = found.environment()
        assert environment["GF_UNIFIED_ALERTING_HA_PEERS"] == "grafana-headless:9094"
        assert environment["GF_UNIFIED_ALERTING_HA_ADVERTISE_ADDRESS"] == "$(POD_IP):9094"
        assert environment["GF_DATABASE_HOST"] == "postgres:5432"

    @pytest.mark.parametrize(("replicas", "each"), [(2, 13), (3, 10), (4, 8), (10, 3)])
    def test_all_replicas_together_leave_the_database_connections(self, replicas: int, each: int) -> None:
        config = {**OBJECT_VARIANTS["phase4-small"], "grafana": {"replicas": replicas}}
        found = program(tree(run_program(config), config), "grafana")
        assert found.environment()["GF_DATABASE_MAX_OPEN_CONN"] == str(each)
        allowed = re.search(r"^max_connections = (\d+)$", text("postgres/postgresql.conf"), re.MULTILINE)
        assert allowed is not None
        assert POOLS * (replicas + found.object["spec"]["strategy"]["rollingUpdate"]["maxSurge"]) * each <= (
            int(allowed[1]) - 20
        )

    @pytest.mark.parametrize("name", ["phase4-small", "phase4-everything-set"])
    def test_secrets_are_in_files_and_in_no_variable(self, name: str) -> None:
        """A name of a file in a variable would not do: the image's own script exports what is in it."""
        found = built(name)[1]
        grafana = program(found, "grafana")
        settings = ConfigParser(interpolation=None)
        settings.read_string(found.files(grafana)["grafana.ini"])
        named = {key: value for section in settings.sections() for key, value in settings[section].items()}
        sign_in = {"client_secret": "oidc-client-secret"} if name == "phase4-everything-set" else {}
        files = {
            "admin_password": "admin-password",
            "secret_key": "secret-key",
            "password": "database-password",
            **sign_in,
        }
        assert named == {key: f"$__file{{/etc/grafana/secrets/{file}}}" for key, file in files.items()}
        kept = {item["path"] for volume in grafana.pod["volumes"] for item in secret_items(volume)}
        assert {f"secrets/{file}" for file in files.values()} <= kept
        secret = re.compile(r"PASSWORD|SECRET|FILE$")
        assert [name for name in grafana.environment() if secret.search(name)] == []

    def test_every_link_leads_to_a_data_source(self, variant: tuple[str, Result, Tree]) -> None:
        found = variant[2]
        files = found.files(program(found, "grafana"))
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

    def test_logins_and_contact_points_come_from_the_settings(self) -> None:
        found = built("phase4-everything-set")[1]
        grafana = program(found, "grafana")
        environment = grafana.environment()
        assert environment["GF_AUTH_GENERIC_OAUTH_CLIENT_ID"] == "grafana"
        assert environment["GF_AUTH_GENERIC_OAUTH_USE_REFRESH_TOKEN"] == "false"
        assert environment["GF_AUTH_GENERIC_OAUTH_ALLOWED_DOMAINS"] == "example.com example.org"
        assert environment["GF_AUTH_GENERIC_OAUTH_ALLOWED_GROUPS"] == '["sre", "Software Engineers"]'
        assert environment["GF_AUTH_GENERIC_OAUTH_GROUPS_ATTRIBUTE_PATH"] == "realm.groups"
        assert environment["GF_SERVER_ROOT_URL"] == "https://grafana.example.com"
        assert environment["GF_SECURITY_COOKIE_SECURE"] == "true"
        assert environment["GF_DATABASE_SSL_MODE"] == "verify-full"
        files = found.files(grafana)
        points = yaml.safe_load(files["provisioning/alerting/contact-points.yaml"])
        assert [point["name"] for point in points["contactPoints"]] == ["on-call", "team", "tickets"]
        (policy,) = points["policies"]
        assert [policy["receiver"], *(route["receiver"] for route in policy["routes"])] == [
            "on-call",
            "on-call",
            "team",
            "tickets",
        ]
        assert "resetPolicies" not in points
        alertmanager = document(found, "mimir", "alertmanager.yaml")
        assert [route["receiver"] for route in alertmanager["route"]["routes"]] == [
            "on-call",
            "team",
            "tickets",
        ]
        assert alertmanager["receivers"][1]["pagerduty_configs"] == [
            {"routing_key_file": "/etc/mimir/secrets/contact-on-call"}
        ]

    def test_grafana_begins_with_its_own_policies_where_there_is_no_contact_point(self, small: Tree) -> None:
        """A policy that names one that is not there would keep Grafana from starting."""
        path = "provisioning/alerting/contact-points.yaml"
        points = yaml.safe_load(small.files(program(small, "grafana"))[path])
        assert points == {"apiVersion": 1, "resetPolicies": [1], "contactPoints": [], "policies": []}

    def test_traces_lead_to_profiles_where_there_are_any(self, small: Tree) -> None:
        path = "provisioning/datasources/datasources.yaml"
        without = document(small, "grafana", path)["datasources"]
        assert "pyroscope" not in {source["uid"] for source in without}
        found = {
            source["uid"]: source
            for source in document(built("phase4-everything-set")[1], "grafana", path)["datasources"]
        }
        assert found["pyroscope"]["url"] == "http://pyroscope.profiles.svc:4040"
        assert found["tempo"]["jsonData"]["tracesToProfiles"]["datasourceUid"] == "pyroscope"

    def test_the_watchdog_is_missed_only_where_it_is_evaluated(self, small: Tree) -> None:
        def watched(found: Tree) -> str:
            groups = document(found, "grafana", "provisioning/alerting/rules.yaml")["groups"]
            return str(groups[0]["rules"][0]["data"][0]["model"]["expr"])

        assert "Watchdog" in watched(small)
        assert "Watchdog" not in watched(built("phase4-everything-set")[1])


class TestStoresInParts:
    def test_rules_are_where_queries_are_answered(self) -> None:
        result, found = built("phase4-split")
        for store, url in (("mimir", "metrics_query_url"), ("loki", "logs_query_url")):
            reader = f"{store}-read"
            (target,) = (one for one in program(found, reader).containers[0]["args"] if "-target=" in one)
            assert {"query-frontend", "ruler"} <= set(target.partition("=")[2].split(","))
            assert f"//{reader}." in result.outputs[url]

    def test_alerts_know_how_many_replicas_there_are(self) -> None:
        found = built("phase4-split")[1]
        rules = document(found, "mimir", "rules/otel-stack/sizing.yaml")["groups"][1]["rules"]
        wanted = {rule["labels"]["job"]: int(rule["expr"]) for rule in rules}
        stores = ("tempo", "mimir", "loki-")
        running = {
            one.name: one.object["spec"]["replicas"]
            for one in found.programs()
            if one.name.startswith(stores)
        }
        assert wanted == running

    def test_alerts_know_the_limit_of_streams(self) -> None:
        small = OBJECT_VARIANTS["phase4-small"]
        for given, limit in ((small, 10_000), ({**small, "stores": {"loki": {"maxStreams": 5000}}}, 5000)):
            found = tree(run_program(given), given)
            (rule,) = document(found, "mimir", "rules/otel-stack/sizing.yaml")["groups"][2]["rules"]
            loki = document(found, "loki-cluster", "loki-cluster.yaml")
            assert (rule["record"], int(rule["expr"])) == ("loki:stream_limit", limit)
            assert loki["limits_config"]["max_global_streams_per_user"] == limit


def test_outputs_name_the_new_stores() -> None:
    outputs = built("phase4-small")[0].outputs
    assert outputs["tenant"] == "otel-stack"
    assert outputs["metrics_query_url"] == "http://mimir.observability.svc:9009/prometheus"
    assert outputs["traces_datasource_uid"] == "tempo"
    assert outputs["contract_version"] == "1"


def alerts(node: Any) -> Iterator[str]:
    """Names of the alerts of a rule file, Prometheus's or Grafana's."""
    for group in node["groups"]:
        for rule in group["rules"]:
            if name := rule.get("alert") or rule.get("title"):
                yield name


@pytest.mark.parametrize(
    "path",
    [
        "mimir/rules/stores.yaml",
        "loki/rules/logs.yaml",
        "grafana-cluster/provisioning/alerting/rules.yaml",
    ],
)
def test_every_alert_has_its_section_in_the_runbook(path: str) -> None:
    content = text(path)
    sections = re.findall(r"^## (\w+)$", (CONFIGS.parent / RUNBOOK).read_text(), re.MULTILINE)
    names = list(alerts(yaml.safe_load(content)))
    assert names
    for name in names:
        assert name in sections
        assert f"runbooks/alerts-phase4.md#{name.lower()}" in content


def test_parts_of_phase_three_are_the_same_components() -> None:
    """With another type their objects would be others of the same name, which cannot be made beside them."""

    def parts(settings: Mapping[str, Any]) -> dict[str, str]:
        registered = run_program(settings).resources
        return {one.name: one.type for one in registered if one.type.startswith("otel-stack:")}

    later = OBJECT_VARIANTS["phase4-changing-over"]
    kept = {key: value for key, value in later.items() if key not in ("objectStorage", "stores")}
    before, after = parts({**kept, "phase": 3}), parts(later)
    stores = {"jaeger", "prometheus", "loki"}
    assert {"kafka", "otel-gateway", "otel-processor", "grafana"} | stores <= set(before)
    assert before.items() <= after.items()


def test_a_stateful_set_of_both_phases_has_the_same_claims(small: Tree, changing: Tree) -> None:
    """It keeps the templates that it began with, whatever the program says later."""

    def claims(found: Tree) -> dict[str, list[str]]:
        sets = found.of("StatefulSet")
        return {
            name_of(one): [name_of(claim) for claim in one["spec"]["volumeClaimTemplates"]] for one in sets
        }

    config = CLUSTER_VARIANTS["phase3-small"]
    before = claims(tree(run_program(config), config))
    assert before["grafana"] == ["grafana-data"]
    for after in (claims(small), claims(changing)):
        shared = before.keys() & after.keys()
        assert "kafka" in shared
        assert {one: before[one] for one in shared} == {one: after[one] for one in shared}
