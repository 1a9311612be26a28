"""What single objects of the cluster must say, or must not say, for the program behind them to work."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.platform.manifests.network import SOLVER
from components.platform.manifests.promql import grouped_by
from components.platform.manifests.scope import field_manager
from tests.kubernetes.rules.network import denied_by_default
from tests.support.made import annotations_of, made
from tests.support.variants import CLUSTER_VARIANTS


def test_the_namespace_names_the_stack_that_has_it() -> None:
    (namespace,) = made("phase3-small").of("Namespace")
    assert annotations_of(namespace)["otel-stack.io/owner"] == "otel-stack/test"


def test_the_namespace_is_applied_under_the_stacks_own_name() -> None:
    """It outlives the state, and the stack may change afterwards what it has set before; others may not."""
    (namespace,) = made("phase3-small").of("Namespace")
    assert annotations_of(namespace)["pulumi.com/patchFieldManager"] == "otel-stack/test"
    (rendered,) = made("phase3-render").of("Namespace")
    assert not [one for one in annotations_of(rendered) if one.startswith("pulumi.com/")]


def test_names_under_which_fields_are_applied_are_those_that_the_api_server_takes() -> None:
    long = [field_manager("p" * 100, "s" * 99 + end) for end in ("1", "2")]
    assert [len(one) for one in long] == [128, 128]
    assert len(set(long)) == 2


def test_brokers_write_no_log_files() -> None:
    """Their folder holds 64 MiB, and a pod that fills it is evicted."""
    found = made("phase3-medium")
    broker = found.program("kafka")
    assert broker.environment()["KAFKA_GC_LOG_OPTS"] == "-Xlog:gc=off"
    logging = yaml.safe_load(found.files(broker)["log4j2.yaml"])["Configuration"]
    assert list(logging["Appenders"]) == ["Console"]
    assert logging["Loggers"]["Root"]["AppenderRef"] == [{"ref": logging["Appenders"]["Console"]["name"]}]


def test_a_broker_is_not_restarted_for_what_it_waits_for() -> None:
    """Other controllers, and the check of its log: its clients' port opens after both."""
    found = made("phase3-medium")
    broker = found.program("kafka")
    (container,) = broker.containers
    files = found.files(broker)
    assert "process.roles=broker,controller" in files["server.properties"]
    assert len(broker.environment()["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")) == 3
    for kind in ("startupProbe", "livenessProbe"):
        assert " ".join(container[kind]["exec"]["command"]) == (
            "bash /mnt/shared/config/alive.sh /tmp/waits-for-room 9093"
        )
    assert container["readinessProbe"]["exec"]["command"] == ["bash", "/mnt/shared/config/in-sync.sh"]
    assert "/dev/tcp/localhost/${1:-9092}" in files["in-sync.sh"]
    assert "/dev/tcp/localhost/$2" in files["alive.sh"]


def test_only_the_operators_prometheus_may_ask_for_metrics() -> None:
    """The port may be one that also deletes data."""
    found = made("phase3-load-balancer")
    (rule,) = found.get("NetworkPolicy", "monitoring-to-loki")["spec"]["ingress"]
    (source,) = rule["from"]
    named = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    assert source["namespaceSelector"] == named
    (chosen,) = source["podSelector"]["matchExpressions"]
    assert chosen["key"] == "app.kubernetes.io/name"
    assert set(chosen["values"]) == {"prometheus", "prometheus-agent"}


@pytest.mark.parametrize(
    ("name", "ports"), [("phase3-small", [443, 6443]), ("phase3-everything-set", [443, 16443])]
)
@pytest.mark.parametrize("program", ["otel-gateway", "prometheus"])
def test_the_api_server_is_asked_at_the_ports_of_the_settings(
    name: str, program: str, ports: list[int]
) -> None:
    rules = made(name).get("NetworkPolicy", f"{program}-egress")["spec"]["egress"]
    assert {"ports": [{"protocol": "TCP", "port": port} for port in ports]} in rules


def test_ports_behind_services_of_others_are_open_to_who_calls_others() -> None:
    """A plugin that looks behind the Service would else cut off names, or what the settings name."""
    found = made("phase3-external-kafka")

    def opened(program: str) -> list[set[tuple[str, int]]]:
        rules = found.get("NetworkPolicy", f"{program}-egress")["spec"]["egress"]
        return [
            {(port["protocol"], port["port"]) for port in rule["ports"]} for rule in rules if "to" not in rule
        ]

    names = {("UDP", 53), ("UDP", 5353), ("TCP", 53), ("TCP", 5353)}
    others = {("TCP", 9000), ("TCP", 9094)}
    calls_nobody = opened("loki")
    for program in ("otel-processor", "kafka-topics"):
        calls_kafka = opened(program)
        assert calls_kafka[0] == names
        assert others < calls_kafka[1]
    assert calls_nobody == [names]


def test_what_the_api_server_would_add_to_a_service_monitor_is_there() -> None:
    """Argo CD would report it as a difference, for good."""
    for monitor in made("phase3-load-balancer").of("ServiceMonitor"):
        (endpoint,) = monitor["spec"]["endpoints"]
        assert {one["action"] for one in endpoint["relabelings"]} == {"replace"}


def test_what_the_operators_prometheus_selects_by_labels_has_those_of_the_settings() -> None:
    """Of the chart kube-prometheus-stack it selects by ``release`` unless told otherwise."""
    cluster = CLUSTER_VARIANTS["phase3-load-balancer"]["kubernetes"]
    labels = {"release": "kube-prometheus-stack"}
    found = made("phase3-load-balancer", kubernetes={**cluster, "labels": labels})
    selected = found.of("ServiceMonitor", "PrometheusRule")
    assert {one["kind"] for one in selected} == {"ServiceMonitor", "PrometheusRule"}
    assert all(labels.items() <= one["metadata"]["labels"].items() for one in selected)


def test_everything_but_the_claims_has_the_labels_of_the_settings() -> None:
    """A claim's template can never change, and labels may be added any day."""
    labels = {"example.com/team": "platform"}
    found = made("phase3-everything-set")
    labelled = [*found.objects, *(program.template for program in found.programs())]
    assert all(labels.items() <= one["metadata"]["labels"].items() for one in labelled)
    claims = [
        claim for one in found.of("StatefulSet") for claim in one["spec"].get("volumeClaimTemplates", [])
    ]
    assert claims
    assert all(not labels.keys() & claim["metadata"]["labels"].keys() for claim in claims)


def gateway(**place: str) -> dict[str, Any]:
    """Give the settings of a Gateway somewhere."""
    cluster = CLUSTER_VARIANTS["phase3-gateway-api"]["kubernetes"]
    exposure = {key: value for key, value in cluster["exposure"].items() if key != "gatewayNamespace"}
    return {"kubernetes": {**cluster, "exposure": {**exposure, **place}}}


@pytest.mark.parametrize(
    ("variant", "sections", "admitted"),
    [
        ("phase3-everything-set", {}, True),
        ("phase3-load-balancer", {}, False),
        ("phase3-gateway-api", {}, False),
        ("phase3-gateway-api", gateway(), True),
        ("phase3-gateway-api", gateway(gatewayNamespace="observability"), True),
    ],
    ids=["Ingress", "load balancer", "Gateway elsewhere", "Gateway", "Gateway by name"],
)
def test_a_certificate_for_the_ways_in_can_be_renewed(
    variant: str, sections: dict[str, Any], *, admitted: bool
) -> None:
    """Else it expires months after everything worked: cert-manager answers from the stack's namespace."""
    found = made(variant, **sections)
    policies = [one for one in found.of("NetworkPolicy") if SOLVER in str(one)]
    assert len(policies) == admitted
    for one in policies:
        assert one["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8089}]
    assert not list(denied_by_default(found))


@pytest.mark.parametrize(
    ("expression", "changed"),
    [
        ("sum by (job, topic) (a) or b", "sum by (n, job, topic) (a) or b"),
        ("max(a) BY(job)", "max(a) BY(n, job)"),
        ("count by () (a)", "count by (n) (a)"),
        ("sum without (by) (a{b='by (c)'}) / on (by) c", None),
        ("sum(a) + by", None),
    ],
)
def test_what_aggregations_keep_is_added_to(expression: str, changed: str | None) -> None:
    assert grouped_by(expression, "n") == (changed or expression)
