"""What is checked before a stack is brought up on Kubernetes, through a kubectl that plays a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from ops.errors import OpsError
from ops.finding import Finding
from ops.project import ROOT
from tests.support.ops_cluster import Cluster
from tests.support.variants_phase4 import OBJECT_VARIANTS


def failed(findings: dict[str, Finding]) -> list[str]:
    return [name for name, one in findings.items() if one.status == "fail"]


def test_cluster_that_has_everything(cluster: Cluster) -> None:
    findings = cluster.findings()
    assert failed(findings) == []
    assert findings["Kubernetes API"].found == "v1.34.3"
    assert findings["StorageClass"].found == "fast, the default"


def test_every_command_names_file_context_and_namespace(cluster: Cluster) -> None:
    cluster.findings(namespace="telemetry")
    place = f"--kubeconfig={cluster.folder}/kubeconfig --context=there --namespace=telemetry "
    assert all(line.startswith(place) for line in cluster.log)


def test_no_kubectl(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_environ: object) -> dict[str, str]:
        raise OpsError("the lab is not prepared")

    monkeypatch.setattr("ops.kubernetes.kubectl.at_hand", nothing)
    cluster.environ = {"PATH": "/nonexistent"}
    findings = cluster.findings()
    assert [(one.name, one.found) for one in findings.values()] == [("kubectl", "no kubectl on PATH")]


def test_kubectl_of_the_lab_is_found_where_that_is_prepared(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, cluster.environ = cluster.environ, {"PATH": "/nonexistent"}
    monkeypatch.setattr("ops.kubernetes.kubectl.at_hand", lambda _environ: prepared)
    assert cluster.kubectl().program == cluster.folder / "bin" / "kubectl"


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ({"context": "gone"}, "has no context gone"),
        ({"kubeconfig": "/nonexistent/kubeconfig"}, "No such file"),
    ],
)
def test_wrong_context_ends_the_checks(cluster: Cluster, section: dict[str, str], found: str) -> None:
    findings = cluster.findings(**section)
    assert failed(findings) == ["kubeconfig"]
    assert found in findings["kubeconfig"].found
    assert list(findings) == ["kubeconfig"]


def test_context_that_is_not_there_is_answered_with_those_that_are(cluster: Cluster) -> None:
    assert cluster.findings(context="gone")["kubeconfig"].advice.endswith("there, elsewhere")


def test_api_server_that_is_away(cluster: Cluster) -> None:
    cluster.fails("version", "The connection to the server 10.0.0.1:6443 was refused - did you specify?")
    findings = cluster.findings()
    assert failed(findings) == ["Kubernetes API"]
    assert "10.0.0.1:6443 was refused" in findings["Kubernetes API"].found
    assert "make cluster" in findings["Kubernetes API"].advice


def test_old_cluster(cluster: Cluster) -> None:
    cluster.says("version", {"serverVersion": {"major": "1", "minor": "31", "gitVersion": "v1.31.9"}})
    findings = cluster.findings()
    assert failed(findings) == ["Kubernetes API"]
    assert "1.32 or newer" in findings["Kubernetes API"].advice


@pytest.mark.parametrize(
    ("version", "status"),
    [("v1.34.9", "ok"), ("v1.35.0", "warn"), ("v1.35.3-eks-1", "warn"), ("v1.35.4", "ok"), ("v1.36.0", "ok")],
)
def test_releases_that_do_not_replace_what_never_became_ready(
    cluster: Cluster, version: str, status: str
) -> None:
    minor = version.split(".")[1]
    cluster.says("version", {"serverVersion": {"major": "1", "minor": minor, "gitVersion": version}})
    assert cluster.findings()["Kubernetes API"].status == status


@pytest.mark.parametrize(("ready", "told"), [(3, False), (2, True), (0, False)])
def test_a_replica_that_is_down_before_an_update_is_told(cluster: Cluster, ready: int, told: bool) -> None:
    """With none ready there is nothing left to lose, and the update may be the cure."""
    kafka = {"metadata": {"name": "kafka"}, "spec": {"replicas": 3}, "status": {"readyReplicas": ready}}
    cluster.says("get statefulsets --selector", {"items": [kafka]})
    found = cluster.findings().get("replicas of kafka")
    assert (found is not None and (found.status, found.found) == ("warn", f"{ready} of 3 ready")) is told


def phase4(**sections: Any) -> dict[str, Any]:
    s3 = {"endpoint": "s3.example.com", "credentialsSecret": "s3"}
    storage = {"bucketPrefix": "acme", "provider": "s3", "s3": s3}
    given = {"phase": 4, "objectStorage": storage, **sections}
    return {f"otel-stack:{section}": value for section, value in given.items()}


def keep(cluster: Cluster, **replicas: int) -> None:
    """Let the cluster have StatefulSets with so many replicas, all ready."""
    sets = [
        {
            "metadata": {"name": name.replace("_", "-")},
            "spec": {"replicas": number},
            "status": {"readyReplicas": number},
        }
        for name, number in replicas.items()
    ]
    cluster.says("get statefulsets --selector", {"items": sets})


@pytest.mark.parametrize(
    ("rate", "stores", "fewer"),
    [
        (200_000, {}, {}),
        (400_000, {}, {}),
        (200_000, {"mimir": {"memory": "16GiB"}}, {}),
        (100_000, {}, {"mimir": 6, "tempo": 3, "loki-cluster": 3}),
        (50_000, {}, {"mimir": 3, "tempo": 3, "loki-cluster": 3}),
        (200_000, {"mimir": {"maxSeries": 1_000_000}}, {"mimir": 4}),
    ],
)
def test_replicas_with_data_do_not_go_with_an_update(
    cluster: Cluster, rate: int, stores: dict[str, Any], fewer: dict[str, int]
) -> None:
    """Several would stop at once, and what has their names in its ring waits for them."""
    keep(cluster, mimir=12, tempo=5, loki_cluster=5, mimir_read=9, kafka=9)
    cluster.more = phase4(sizing={"eventsPerSecond": rate}, stores=stores)
    findings = cluster.findings()
    refused = {
        name.removeprefix("number of replicas of "): one
        for name, one in findings.items()
        if name.startswith("number of replicas of ")
    }
    assert {name: int(one.found.split()[4]) for name, one in refused.items()} == fewer
    assert all(one.status == "fail" for one in refused.values())


def test_whoever_is_refused_fewer_replicas_is_told_what_to_do(cluster: Cluster) -> None:
    keep(cluster, mimir=6, tempo=4)
    cluster.more = phase4(sizing={"eventsPerSecond": 50_000})
    findings = cluster.findings()
    mimir, tempo = (findings[f"number of replicas of {name}"] for name in ("mimir", "tempo"))
    assert mimir.found == "6 in the cluster, 3 by the settings"
    assert "one at a time until there are 3, as docs/phase4.md says, Fewer replicas" in mimir.advice
    assert "## Fewer replicas" in (ROOT / "docs/phase4.md").read_text()
    assert mimir.advice.endswith("or set stores.mimir.maxSeries to 1649332")
    assert tempo.advice.endswith("or keep 4: undo the change of sizing or stores")
    cluster.more["otel-stack:stores"] = {"mimir": {"maxSeries": 1_649_332}}
    assert "number of replicas of mimir" not in cluster.findings()


@pytest.mark.parametrize("shape", ["single", "split"])
def test_another_shape_keeps_the_replicas_with_data(cluster: Cluster, shape: str) -> None:
    keep(cluster, mimir=3, tempo=3, loki_cluster=3, mimir_read=2, mimir_backend=3)
    cluster.more = phase4(stores={"shape": shape})
    assert not [name for name in cluster.findings() if "replicas" in name]


def test_missing_rights_are_named(cluster: Cluster) -> None:
    cluster.deny("create", "statefulsets")
    cluster.deny("delete", "clusterroles")
    cluster.deny("patch", "clusterroles")
    found = cluster.findings()["rights"]
    assert found.status == "fail"
    assert found.found == (
        "refused: statefulsets.apps: create; clusterroles.rbac.authorization.k8s.io: patch, delete"
    )


@pytest.mark.parametrize("section", [{"storageClass": "slow"}, {}])
def test_no_class_for_the_volumes(cluster: Cluster, section: dict[str, str]) -> None:
    cluster.says("get storageclasses", {"items": [{"metadata": {"name": "fast"}}]})
    found = cluster.findings(**section)["StorageClass"]
    assert found.status == "fail"
    assert found.advice.endswith("one of: fast")


def test_what_the_settings_name_must_be_there(cluster: Cluster) -> None:
    cluster.says("get priorityclass", "")
    cluster.says("get secret login", {"data": {"admin-password": "eA=="}})
    section = {
        "priorityClass": "telemetry",
        "imagePullSecrets": ["registry"],
        "existingSecrets": {"grafana": "login"},
        "monitoring": "prometheus-operator",
    }
    findings = cluster.findings(**section)
    assert failed(findings) == [
        "PriorityClass",
        "Secret login",
        "Secret registry",
        "monitoring.coreos.com/v1",
    ]
    assert findings["Secret login"].found == "lacks secret-key"
    assert "namespace observability" in findings["Secret registry"].advice
    assert "prometheus-operator" in findings["monitoring.coreos.com/v1"].advice


GATEWAY: dict[str, Any] = {
    "type": "GatewayAPI",
    "gateway": "public",
    "gatewayNamespace": "gateways",
    "otlpGrpcHost": "otlp.example.com",
    "otlpHttpHost": "otlp-http.example.com",
}


def listeners(*namespaces: str | None) -> dict[str, Any]:
    """A Gateway with a listener for each of these, by whose routes it takes."""
    allowed = [{} if one is None else {"allowedRoutes": {"namespaces": {"from": one}}} for one in namespaces]
    return {"spec": {"listeners": [{"name": f"l{number}", **one} for number, one in enumerate(allowed)]}}


@pytest.mark.parametrize(
    ("gateway", "more", "status", "found"),
    [
        (listeners("All"), {}, "ok", "listeners l0"),
        (listeners("Same", "Selector"), {}, "ok", "listeners l1"),
        (listeners(None), {"gatewayNamespace": None}, "ok", "listeners l0"),
        (listeners(None), {}, "fail", "l0: no routes of namespace observability"),
        (listeners("All", "Same"), {"gatewayListener": "l1"}, "fail", "l1: no routes of namespace"),
        (listeners("All"), {"gatewayListener": "https"}, "fail", "no listener https"),
        (None, {}, "fail", "there is none"),
    ],
)
def test_the_gateway_that_routes_name_must_take_them(
    cluster: Cluster, gateway: dict[str, Any] | None, more: dict[str, Any], status: str, found: str
) -> None:
    section = {name: value for name, value in {**GATEWAY, **more}.items() if value is not None}
    namespace = section.get("gatewayNamespace", "observability")
    if gateway is not None:
        asked = f"get gateways.gateway.networking.k8s.io public --namespace={namespace}"
        cluster.says(asked, gateway)
    finding = cluster.findings(exposure=section)[f"Gateway {namespace}/public"]
    assert finding.status == status
    assert finding.found.startswith(found)


def test_the_certificates_of_an_external_kafka_must_be_there(cluster: Cluster) -> None:
    cluster.more = {"otel-stack:kafka": {"mode": "external", "bootstrapServers": ["b-1.example:9096"]}}
    cluster.says("get secret kafka-ca", {"data": {"ca": "eA=="}})
    found = cluster.findings(existingSecrets={"kafkaCa": "kafka-ca"})["Secret kafka-ca"]
    assert (found.status, found.found) == ("fail", "lacks ca.crt")


@pytest.mark.parametrize(("kept", "key"), [({"grafana-secrets-1a": "b2xk"}, "bmV3"), ({}, "bmV3")])
def test_a_live_grafana_keeps_its_key(cluster: Cluster, kept: dict[str, str], key: str) -> None:
    """What it has encrypted opens with no other one."""
    own = [
        {"metadata": {"name": name}, "data": {"secrets__secret-key": value}} for name, value in kept.items()
    ]
    cluster.says("get secrets --selector=app.kubernetes.io/name=grafana", {"items": own})
    cluster.says("get secret login", {"data": {"admin-password": "eA==", "secret-key": key}})
    found = cluster.findings(existingSecrets={"grafana": "login"})
    assert failed(found) == (["Grafana's key"] if kept else [])
    for old in kept.values():
        cluster.says("get secret login", {"data": {"admin-password": "eA==", "secret-key": old}})
        assert failed(cluster.findings(existingSecrets={"grafana": "login"})) == []


@pytest.mark.parametrize("key", ["secret-key", "secrets__secret-key"], ids=["another's", "the stack's own"])
def test_a_live_grafana_keeps_the_secret_that_holds_its_key(cluster: Cluster, key: str) -> None:
    """Without a name the stack generates another key."""
    item = {"key": key, "path": "secrets/secret-key"}
    sources = [{"configMap": {"name": "grafana-config-1a"}}, {"secret": {"name": "login", "items": [item]}}]
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "config", "projected": {"sources": sources}}]
    grafana = {"spec": {"template": {"spec": {"volumes": volumes}}}}
    cluster.says(
        "get statefulsets,deployments --selector=app.kubernetes.io/name=grafana", {"items": [grafana]}
    )
    found = cluster.findings()
    if key == "secrets__secret-key":
        assert failed(found) == []
        return
    assert failed(found) == ["Grafana's key"]
    assert "Secret login" in found["Grafana's key"].found
    assert "name it again in kubernetes.existingSecrets.grafana" in found["Grafana's key"].advice
    cluster.says("get secret login", {"data": {"admin-password": "eA==", "secret-key": "b2xk"}})
    cluster.says("get secrets --selector=app.kubernetes.io/name=grafana", {"items": []})
    assert failed(cluster.findings(existingSecrets={"grafana": "login"})) == []


def test_the_secrets_of_phase_4_must_be_there(cluster: Cluster) -> None:
    wanted = OBJECT_VARIANTS["phase4-everything-set"]
    sections = ("phase", "environment", "objectStorage", "stores", "grafana", "postgres", "alerting")
    cluster.more = {f"otel-stack:{section}": wanted[section] for section in sections}
    cluster.more["otel-stack:grafana"] = {**wanted["grafana"], "rootUrl": "https://grafana.example.com"}
    cluster.says("get secret slack", {"data": {"url": "eA==", "routing-key": "eA=="}})
    cluster.says("get secret pagerduty", {"data": {"url": "eA=="}})
    findings = cluster.findings()
    advice = {
        name.removeprefix("Secret "): (one.status, one.advice.partition(" ")[0])
        for name, one in findings.items()
        if name.startswith("Secret ")
    }
    assert advice == {
        "s3-credentials": ("fail", "objectStorage.s3.credentialsSecret"),
        "s3-ca": ("fail", "objectStorage.s3.caSecret"),
        "grafana-database": ("fail", "postgres.passwordSecret"),
        "rds-ca": ("fail", "postgres.caSecret"),
        "grafana-oidc": ("fail", "grafana.oidc.clientSecret"),
        "pagerduty": ("fail", "alerting.contactPoints"),
        "slack": ("ok", ""),
        "tickets": ("fail", "alerting.contactPoints"),
        "smtp": ("fail", "alerting.smtp.passwordSecret"),
    }
    assert findings["Secret pagerduty"].found == "lacks routing-key"
    cluster.says("get secret tickets", {"data": {"routing-key": "eA=="}})
    assert cluster.findings()["Secret tickets"].found == "lacks url"
    cluster.says("get secret smtp", {"data": {"url": "eA=="}})
    assert cluster.findings()["Secret smtp"].found == "lacks password"


def test_secrets_of_single_stores_must_be_there(cluster: Cluster) -> None:
    s3 = {"endpoint": "s3.example.com", "credentialsSecret": "rest", "storeSecrets": {"mimir": "s3-mimir"}}
    storage = {"bucketPrefix": "acme", "provider": "s3", "s3": s3}
    cluster.more = {"otel-stack:phase": 4, "otel-stack:objectStorage": storage}
    findings = cluster.findings()
    assert failed(findings) == ["Secret rest", "Secret s3-mimir"]
    assert findings["Secret s3-mimir"].advice.startswith("objectStorage.s3.storeSecrets.mimir names it")


def test_what_the_stack_does_not_use_need_not_be_there(cluster: Cluster) -> None:
    s3 = {"endpoint": "s3.example.com", "credentialsSecret": "s3-credentials", "caSecret": "s3-ca"}
    aws = {"region": "eu-central-1", "clusterName": "main"}
    mail = {"host": "mail.example.com", "fromAddress": "a@example.com", "username": "a"}
    cluster.more = {
        "otel-stack:phase": 4,
        "otel-stack:alerting": {"smtp": {**mail, "passwordSecret": "smtp"}},
        "otel-stack:objectStorage": {"bucketPrefix": "acme", "provider": "aws", "aws": aws, "s3": s3},
    }
    assert failed(cluster.findings()) == []


def test_kinds_of_other_projects_that_are_there(cluster: Cluster) -> None:
    cluster.more = {"otel-stack:autoscaling": {"lag": "keda"}}
    kinds = [{"name": "scaledobjects"}, {"name": "triggerauthentications"}]
    cluster.says("get --raw /apis/keda.sh/v1alpha1", {"resources": kinds})
    assert cluster.findings()["keda.sh/v1alpha1"].status == "ok"


def test_what_may_not_be_looked_at_is_told_and_is_no_obstacle(cluster: Cluster) -> None:
    said = 'Error from server (Forbidden): storageclasses is forbidden: User "x"'
    cluster.fails("get storageclasses", said)
    found = cluster.findings()["StorageClass"]
    assert found.status == "warn"
    assert "Forbidden" in found.found


def test_no_metrics_is_no_failure(cluster: Cluster) -> None:
    cluster.fails("get --raw /apis/metrics", "Error from server (NotFound): the server could not find it")
    assert cluster.findings()["metrics API"].status == "warn"


def namespace(owner: str | None = None) -> dict[str, Any]:
    annotations = {} if owner is None else {"otel-stack.io/owner": owner}
    return {"metadata": {"name": "observability", "annotations": annotations}}


def pod(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def own_pod(name: str, environment: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": "otel-stack", "app.kubernetes.io/instance": environment}
    return pod(name, **labels)


def test_namespace_that_is_not_there_is_made(cluster: Cluster) -> None:
    found = cluster.findings()["namespace"]
    assert (found.status, found.found) == ("ok", "observability, to be made")


@pytest.mark.parametrize("owner", [None, "otel-stack/dev"])
def test_namespace_of_the_stack_or_of_nobody_is_taken(cluster: Cluster, owner: str | None) -> None:
    cluster.says("get namespace observability", namespace(owner))
    broker = pod("kafka-broker-0", **{"strimzi.io/cluster": "kafka"})
    cluster.says("get pods", {"items": [own_pod("loki-1", "dev"), broker]})
    findings = cluster.findings()
    assert findings["namespace"].status == "ok"
    assert not {"pods of others", "another stack"} & set(findings)


def test_namespace_of_another_stack_is_refused(cluster: Cluster) -> None:
    cluster.says("get namespace observability", namespace("otel-stack/other"))
    findings = cluster.findings()
    assert failed(findings) == ["namespace"]
    assert findings["namespace"].found == "observability belongs to the stack otel-stack/other"
    assert findings["namespace"].advice.endswith(
        "annotate namespace observability otel-stack.io/owner- pulumi.com/patchFieldManager-"
    )


def test_pods_of_others_are_told_what_comes_over_them(cluster: Cluster) -> None:
    cluster.says("get namespace observability", namespace())
    shops = [pod(f"shop-{number}") for number in range(7)]
    cluster.says("get pods", {"items": [own_pod("loki-1", "dev"), *shops]})
    found = cluster.findings()["pods of others"]
    assert found.status == "warn"
    assert found.found == "shop-0, shop-1, shop-2, shop-3, shop-4 and 2 more in observability"
    assert all(what in found.advice for what in ("deny-all", "restricted"))


def test_stack_of_another_environment_is_told_in_a_namespace_that_names_nobody(cluster: Cluster) -> None:
    cluster.says("get pods", {"items": [own_pod("loki-1", "prod")]})
    cluster.says("get namespace observability", namespace())
    assert cluster.findings()["another stack"].found == "pods of environment prod in observability"
    cluster.says("get namespace observability", namespace("otel-stack/dev"))
    assert "another stack" not in cluster.findings()
