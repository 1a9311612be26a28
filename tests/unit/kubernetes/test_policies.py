"""The rules over all Kubernetes objects hold for every variant, and each finds what it is there for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kubernetes.edges import NoSuchNameError
from tests.kubernetes.rules import RULES
from tests.support.manifests import Manifest, Tree, config_sources, name_of, tree
from tests.support.program import Result, is_secret, run_program, unwrapped
from tests.support.variants import CLUSTER_VARIANTS

SECRETS = ("generated-", "given-kafka-password")
"""What every secret of the tests begins with."""


@pytest.fixture(scope="module", params=CLUSTER_VARIANTS)
def variant(request: pytest.FixtureRequest) -> tuple[str, Result]:
    return request.param, run_program(CLUSTER_VARIANTS[request.param])


@pytest.fixture(scope="module")
def good() -> Tree:
    config = CLUSTER_VARIANTS["phase3-medium"]
    return tree(run_program(config), config)


@pytest.mark.parametrize("rule", RULES)
def test_rule_holds(variant: tuple[str, Result], rule: str) -> None:
    name, result = variant
    broken = list(RULES[rule](tree(result, CLUSTER_VARIANTS[name])))
    assert not broken, "\n".join(broken)


def container(found: Tree, name: str) -> Manifest:
    one: Manifest = found.program(name).pod["containers"][0]
    return one


def remove(found: Tree, kind: str, name: str) -> None:
    found.objects.remove(found.get(kind, name))


def edit_config(found: Tree, name: str, old: str, new: str) -> None:
    data = found.get("ConfigMap", f"{name}-config-autonamed")["data"]
    (key,) = [key for key, text in data.items() if old in text]
    data[key] = data[key].replace(old, new)


def edit_spec(found: Tree, kind: str, name: str, **fields: Any) -> None:
    found.get(kind, name)["spec"].update(fields)


def open_port(found: Tree, policy: str, key: str, port: int) -> None:
    spec = found.get("NetworkPolicy", policy)["spec"]
    spec[key][0]["ports"].append({"protocol": "TCP", "port": port})


def open_loki(found: Tree) -> None:
    rule = found.get("NetworkPolicy", "otel-processor-to-loki")["spec"]["ingress"][0]
    rule["from"].append({"namespaceSelector": {}})


def select_stale_pods(found: Tree) -> None:
    rule = found.get("NetworkPolicy", "otel-gateway-to-kafka")["spec"]["ingress"][0]
    rule["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] = "otel-collector"


def forget_dns(found: Tree) -> None:
    rules = found.get("NetworkPolicy", "jaeger-egress")["spec"]["egress"]
    rules[0]["ports"] = [{"protocol": "UDP", "port": 53}]


def name_secret(found: Tree, name: str) -> None:
    for source in config_sources(found.program("grafana")):
        if "secret" in source:
            source["secret"]["name"] = name


def add_unused_secret(found: Tree) -> None:
    metadata = {**found.get("Secret", "grafana-secrets-autonamed")["metadata"], "name": "x-autonamed"}
    found.objects.append({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "immutable": True})


def rename_config(found: Tree) -> None:
    found.get("ConfigMap", "loki-config-autonamed")["metadata"]["name"] = "loki-config"
    for source in config_sources(found.program("loki")):
        source["configMap"]["name"] = "loki-config"


def expose_all(found: Tree) -> None:
    edit_spec(found, "Service", "otel-gateway", type="LoadBalancer")


def route_nowhere(found: Tree) -> None:
    backend = {"service": {"name": "grafana", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    metadata = {**found.get("Service", "grafana")["metadata"]}
    found.objects.append(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": metadata,
            "spec": {"rules": [{"http": {"paths": paths}}]},
        }
    )


def monitor_nothing(found: Tree) -> None:
    spec = {"selector": {"matchLabels": {"app.kubernetes.io/name": "loki"}}, "endpoints": [{"port": "grpc"}]}
    metadata = {**found.get("Service", "loki")["metadata"]}
    found.objects.append(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "ServiceMonitor",
            "metadata": metadata,
            "spec": spec,
        }
    )


def scale_by_lag(found: Tree, servers: str, **trigger: Any) -> None:
    scaled = found.get("HorizontalPodAutoscaler", "otel-processor")
    scaled.update(apiVersion="keda.sh/v1alpha1", kind="ScaledObject")
    triggers = [{"type": "kafka", "metadata": {"bootstrapServers": servers}, **trigger}]
    scaled["spec"] |= {"minReplicaCount": 2, "maxReplicaCount": 6, "triggers": triggers}


def log_in_with_nothing(found: Tree) -> None:
    scale_by_lag(found, "b-1.kafka.example:9096", authenticationRef={"name": "nobody"})


def advertise_short_names(found: Tree) -> None:
    (variable,) = (
        one for one in container(found, "kafka")["env"] if one["name"] == "KAFKA_ADVERTISED_LISTENERS"
    )
    variable["value"] = "PLAINTEXT://$(REPLICA).kafka-headless:9092"
    scale_by_lag(found, "kafka-1.kafka-headless.observability.svc:9092")


Breaking = Callable[[Tree], object]
BROKEN: list[tuple[str, Breaking, str]] = [
    ("confined", lambda t: t.program("loki").pod["securityContext"].pop("runAsNonRoot"), "runAsNonRoot"),
    ("confined", lambda t: t.program("loki").pod["securityContext"].pop("seccompProfile"), "seccomp"),
    ("confined", lambda t: t.program("loki").pod["securityContext"].update(runAsUser=0), "runAsUser"),
    ("confined", lambda t: t.program("loki").pod.update(hostNetwork=True), "hostNetwork"),
    ("confined", lambda t: t.program("loki").pod["volumes"].append({"hostPath": {}}), "hostPath"),
    (
        "confined",
        lambda t: container(t, "kafka")["securityContext"].update(readOnlyRootFilesystem=False),
        "readOnlyRootFilesystem",
    ),
    (
        "confined",
        lambda t: container(t, "kafka")["securityContext"].pop("allowPrivilegeEscalation"),
        "allowPrivilegeEscalation",
    ),
    ("confined", lambda t: container(t, "kafka")["securityContext"].pop("capabilities"), "capabilities"),
    ("confined", lambda t: container(t, "kafka")["securityContext"].update(privileged=True), "privileged"),
    ("limited", lambda t: container(t, "jaeger")["resources"]["limits"].pop("memory"), "needs a request"),
    ("limited", lambda t: container(t, "jaeger")["resources"]["requests"].pop("cpu"), "needs a request"),
    ("limited", lambda t: container(t, "jaeger")["resources"]["requests"].update(cpu="64"), "not within"),
    ("limited", lambda t: t.program("jaeger").pod["volumes"][1].update(emptyDir={}), "no sizeLimit"),
    ("probed", lambda t: container(t, "grafana").pop("startupProbe"), "startupProbe: is not there"),
    ("probed", lambda t: container(t, "grafana").pop("livenessProbe"), "livenessProbe: is not there"),
    ("probed", lambda t: container(t, "grafana")["readinessProbe"]["httpGet"].update(port=1), "port 1,"),
    ("probed", lambda t: container(t, "grafana")["livenessProbe"].pop("timeoutSeconds"), "after a second"),
    (
        "probed",
        lambda t: container(t, "grafana").update(livenessProbe={"exec": {"command": ["true"]}}),
        "does not ask by HTTP",
    ),
    ("pinned", lambda t: container(t, "loki").update(image="grafana/loki:latest"), "no fixed tag"),
    ("pinned", lambda t: container(t, "loki").update(image="grafana/loki"), "no fixed tag"),
    ("pinned", lambda t: container(t, "loki").update(imagePullPolicy="Always"), "pulled again"),
    ("knows_its_limit", lambda t: container(t, "loki").update(env=[]), "GOMEMLIMIT is None"),
    (
        "knows_its_limit",
        lambda t: container(t, "otel-gateway")["resources"]["limits"].update(memory="1Gi"),
        "memory_limiter refuses at",
    ),
    ("finishes", lambda t: t.program("kafka").pod.update(terminationGracePeriodSeconds=60), "killed after"),
    ("finishes", lambda t: t.program("grafana").pod.pop("terminationGracePeriodSeconds"), "killed after 30"),
    (
        "finishes",
        lambda t: edit_config(t, "otel-processor", "decision_wait: 10s", "decision_wait: 2m"),
        "needs 0 s to leave, 150 s to drain",
    ),
    ("finishes", lambda t: container(t, "otel-gateway").pop("lifecycle"), "no preStop"),
    (
        "finishes",
        lambda t: container(t, "kafka")["livenessProbe"].pop("terminationGracePeriodSeconds"),
        "70 s until it is killed when it hangs",
    ),
    ("bounded", lambda t: remove(t, "PodDisruptionBudget", "kafka"), "needs one PodDisruptionBudget"),
    (
        "bounded",
        lambda t: edit_spec(t, "PodDisruptionBudget", "kafka", maxUnavailable=0),
        "needs one PodDisruptionBudget",
    ),
    (
        "bounded",
        lambda t: edit_spec(t, "PodDisruptionBudget", "kafka", selector={"matchLabels": {"a": "b"}}),
        "selects no pods",
    ),
    ("bounded", lambda t: edit_spec(t, "StatefulSet", "kafka", replicas=1), "no node drains"),
    ("bounded", lambda t: t.program("otel-gateway").pod.pop("topologySpreadConstraints"), "is spread over"),
    ("bounded", lambda t: t.program("kafka").pod.pop("affinity"), "may lie on one node"),
    ("bounded", lambda t: t.program("otel-gateway").pod.pop("affinity"), "may lie on one node"),
    (
        "bounded",
        lambda t: t.program("otel-gateway").pod["topologySpreadConstraints"][1].pop("matchLabelKeys"),
        "those that they replace",
    ),
    ("scaled_by_one", lambda t: edit_spec(t, "Deployment", "otel-gateway", replicas=2), "beside an autosc"),
    ("scaled_by_one", lambda t: t.program("loki").object["spec"].pop("replicas"), "neither"),
    (
        "scaled_by_one",
        lambda t: edit_spec(t, "HorizontalPodAutoscaler", "otel-gateway", minReplicas=9),
        "from 9 to",
    ),
    ("scaled_by_one", lambda t: remove(t, "StatefulSet", "otel-processor"), "which is not there"),
    (
        "scales_calmly",
        lambda t: t.get("HorizontalPodAutoscaler", "otel-gateway").update(apiVersion="autoscaling/v1"),
        "is autoscaling/v1",
    ),
    (
        "scales_calmly",
        lambda t: t.get("HorizontalPodAutoscaler", "otel-gateway")["spec"]["metrics"].pop(0),
        "does not measure CPU",
    ),
    (
        "scales_calmly",
        lambda t: edit_spec(t, "HorizontalPodAutoscaler", "otel-processor", behavior={}),
        "removes pods after 0 s",
    ),
    (
        "scales_calmly",
        lambda t: scale_by_lag(t, "kafka-1.kafka-headless.observability.svc.cluster.local:9092"),
        "removes pods after 0 s",
    ),
    ("scalers_can_log_in", log_in_with_nothing, "logs in with nobody"),
    (
        "services_lead_somewhere",
        lambda t: edit_spec(t, "Service", "loki", selector={"app.kubernetes.io/name": "lokii"}),
        "selects []",
    ),
    (
        "services_lead_somewhere",
        lambda t: t.get("Service", "loki")["spec"]["ports"][0].update(targetPort=3101),
        "nothing listens on (3101",
    ),
    ("services_lead_somewhere", lambda t: edit_spec(t, "StatefulSet", "loki", serviceName="l"), "no Service"),
    ("services_lead_somewhere", expose_all, "opens health 13133"),
    ("ways_in_lead_somewhere", route_nowhere, "('grafana', 80)"),
    ("ways_in_lead_somewhere", monitor_nothing, "finds 0 ports"),
    ("accounts_are_used", lambda t: remove(t, "StatefulSet", "jaeger"), "are used by"),
    (
        "accounts_are_used",
        lambda t: t.get("ServiceAccount", "loki").pop("automountServiceAccountToken"),
        "mounts its token",
    ),
    (
        "accounts_are_used",
        lambda t: t.program("loki").pod.update(automountServiceAccountToken=True),
        "loki: asks the API: False",
    ),
    ("accounts_are_used", lambda t: remove(t, "RoleBinding", "prometheus"), "prometheus: asks the API: True"),
    (
        "accounts_are_used",
        lambda t: t.get("Role", "prometheus")["rules"][0]["verbs"].append("delete"),
        "may do more than read",
    ),
    (
        "accounts_are_used",
        lambda t: t.get("Role", "prometheus")["rules"][0]["resources"].append("secrets"),
        "may read secrets",
    ),
    ("references_exist", lambda t: remove(t, "ConfigMap", "loki-config-autonamed"), "is not there"),
    ("references_exist", lambda t: name_secret(t, "by-hand"), "Secret by-hand is not there"),
    (
        "references_exist",
        lambda t: t.get("ConfigMap", "loki-config-autonamed").update(data={}),
        "has no key loki.yaml",
    ),
    ("references_exist", add_unused_secret, "nobody uses it"),
    (
        "references_exist",
        lambda t: t.get("ConfigMap", "loki-config-autonamed").pop("immutable"),
        "is not immutable",
    ),
    ("references_exist", rename_config, "its name stays"),
    (
        "belongs_together",
        lambda t: t.get("Namespace", "observability")["metadata"].pop("labels"),
        "pod security enforce: None",
    ),
    ("belongs_together", lambda t: t.get("Service", "loki")["metadata"].update(namespace="x"), "namespace x"),
    ("belongs_together", lambda t: t.get("Service", "loki")["metadata"].pop("labels"), "is part of"),
    ("denied_by_default", lambda t: remove(t, "NetworkPolicy", "deny-all"), "denies everything"),
    ("denied_by_default", select_stale_pods, "selects no pods"),
    ("names_can_be_asked", forget_dns, "jaeger: may not ask for names"),
    (
        "used_edges_are_allowed",
        lambda t: remove(t, "NetworkPolicy", "otel-gateway-egress"),
        "otel-gateway -> kafka:9092: is used, but no Egress rule",
    ),
    (
        "used_edges_are_allowed",
        lambda t: remove(t, "NetworkPolicy", "kafka-peers"),
        "kafka -> kafka:9093: is used, but no Ingress rule",
    ),
    (
        "used_edges_are_allowed",
        lambda t: remove(t, "NetworkPolicy", "prometheus-to-otel-processor"),
        "prometheus -> otel-processor:8888: is used, but no Ingress rule",
    ),
    (
        "used_edges_are_allowed",
        lambda t: remove(t, "NetworkPolicy", "clients-to-otel-gateway"),
        "(outside) -> otel-gateway:4317: is used, but no Ingress rule",
    ),
    (
        "used_edges_are_allowed",
        lambda t: edit_config(t, "otel-processor", "jaeger:4317", "collector.example:4317"),
        "otel-processor -> (outside):4317: is used",
    ),
    (
        "allowed_edges_are_used",
        lambda t: open_port(t, "otel-gateway-to-kafka", "ingress", 9093),
        "otel-gateway -> kafka:9093: is allowed by an Ingress rule",
    ),
    (
        "allowed_edges_are_used",
        lambda t: open_port(t, "jaeger-egress", "egress", 443),
        "jaeger -> (outside):443: is allowed by an Egress rule",
    ),
    (
        "allowed_edges_are_used",
        lambda t: open_port(t, "clients-to-otel-gateway", "ingress", 8888),
        "(outside) -> otel-gateway:8888: is allowed by an Ingress rule",
    ),
    ("opened_to_all_on_purpose", open_loki, "(outside) -> loki:3100: every namespace may"),
]
UNKNOWN_NAMES: list[tuple[Breaking, str]] = [
    (lambda t: edit_config(t, "otel-processor", "loki:3100", "lokki:3100"), "lokki, which is no Service"),
    (lambda t: edit_config(t, "otel-processor", "loki:3100", "loki:3101"), "has no such port"),
    (
        lambda t: edit_config(t, "otel-gateway", "kafka-3.kafka-headless", "kafka-4.kafka-headless"),
        "no pod has that name",
    ),
    (lambda t: edit_spec(t, "Service", "kafka-headless", clusterIP="10.0.0.1"), "no pod has that name"),
    (
        lambda t: scale_by_lag(t, "kafka-1.kafka-headless:9092"),
        r"calls kafka-1\.kafka-headless: add \.observability\.svc",
    ),
    (advertise_short_names, r"kafka-headless: add \.observability"),
]


@pytest.mark.parametrize(("rule", "change", "message"), BROKEN, ids=[f"{one[0]}-{one[2]}" for one in BROKEN])
def test_rule_finds(good: Tree, rule: str, change: Breaking, message: str) -> None:
    assert not list(RULES[rule](good))
    found = list(RULES[rule](good.changed(change)))
    assert [one for one in found if message in one], found


def test_every_rule_is_tried() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


@pytest.mark.parametrize(("change", "message"), UNKNOWN_NAMES, ids=[one[1] for one in UNKNOWN_NAMES])
def test_names_that_lead_nowhere_are_found(good: Tree, change: Breaking, message: str) -> None:
    with pytest.raises(NoSuchNameError, match=message):
        list(RULES["used_edges_are_allowed"](good.changed(change)))


def test_secrets_are_in_secrets_alone(variant: tuple[str, Result]) -> None:
    for resource in variant[1].resources:
        for key, value in resource.inputs.items():
            if any(secret in str(unwrapped(value)) for secret in SECRETS):
                assert (resource.inputs.get("kind"), key) == ("Secret", "stringData"), resource.name
                assert is_secret(value), f"{resource.name} holds a secret in clear"
    assert not any(secret in str(variant[1].outputs) for secret in SECRETS)


def test_rendered_manifests_hold_no_secret() -> None:
    result = run_program(CLUSTER_VARIANTS["phase3-render"])
    assert not [one for one in result.resources if one.type.endswith((":Secret", ":RandomPassword"))]


def test_every_name_is_given_once(variant: tuple[str, Result]) -> None:
    name, result = variant
    found = [(one["kind"], name_of(one)) for one in tree(result, CLUSTER_VARIANTS[name]).objects]
    assert len(found) == len(set(found))
