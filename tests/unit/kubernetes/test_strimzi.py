"""Kafka as the Strimzi operator runs it: what its resources must say, or must not say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.made import annotations_of, made, requests, waits_of
from tests.support.manifests import Tree
from tests.support.placement import PLACED, is_kept_apart, spread, spread_over_zones
from tests.support.variants import CLUSTER_VARIANTS


def test_a_node_pool_is_not_waited_for_since_it_never_says_that_it_is_ready() -> None:
    found = made("phase3-strimzi")
    (pool,) = found.of("KafkaNodePool")
    assert waits_of(pool) == {"pulumi.com/skipAwait": "true"}
    others = found.of("Kafka", "KafkaTopic", "KafkaUser")
    assert others
    assert all(waits_of(one) == {"pulumi.com/waitFor": "condition=Ready"} for one in others)


@pytest.mark.parametrize(
    "scaling", [{}, {"lag": "keda", "kedaNamespace": "scaling"}], ids=["by CPU", "by lag"]
)
def test_strimzis_listener_is_for_the_stacks_own_clients(scaling: dict[str, str]) -> None:
    found = made("phase3-strimzi", autoscaling=scaling)
    (kafka,) = found.of("Kafka")
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    clients, brokers, *others = listener["networkPolicyPeers"]
    (expression,) = clients["podSelector"]["matchExpressions"]
    callers = {
        program.name
        for program in found.programs()
        if any(port == 9093 for _, port in egress_ports(found, program.name))
    }
    assert callers
    assert callers <= set(expression["values"])
    assert brokers == {"podSelector": {"matchLabels": {"strimzi.io/pool-name": "broker"}}}
    keda = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "scaling"}},
        "podSelector": {"matchLabels": {"app": "keda-operator"}},
    }
    assert others == ([keda] if scaling else [])


def egress_ports(found: Tree, name: str) -> set[tuple[str, int]]:
    """Protocols and ports to which a workload may connect."""
    return {
        (port["protocol"], port["port"])
        for policy in found.of("NetworkPolicy")
        if policy["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name") == name
        for rule in policy["spec"].get("egress", [])
        for port in rule.get("ports", [])
    }


def test_strimzis_pods_have_limits_and_time_to_stop() -> None:
    found = made("phase3-strimzi")
    (kafka,) = found.of("Kafka")
    for operator in ("topicOperator", "userOperator"):
        resources = kafka["spec"]["entityOperator"][operator]["resources"]
        assert resources["limits"]["memory"] == resources["requests"]["memory"]
    (pool,) = found.of("KafkaNodePool")
    assert pool["spec"]["template"]["pod"]["terminationGracePeriodSeconds"] == 60


@pytest.mark.parametrize("render", [False, True])
def test_nobody_deletes_what_strimzi_keeps_data_for(render: bool) -> None:
    """With a KafkaTopic the operator deletes the topic; with a new Kafka the claims do not fit."""
    sections: dict[str, Any] = {}
    if render:
        section = CLUSTER_VARIANTS["phase3-render"]["kubernetes"]
        sections["kubernetes"] = {**section, "existingSecrets": {"grafana": "grafana-login"}}
    with requests() as registered:
        found = made("phase3-strimzi", **sections)
    asked = [one for one in registered if one.type.startswith("kubernetes:kafka.strimzi.io/")]
    (namespace,) = (one for one in registered if one.type == "kubernetes:core/v1:Namespace")
    assert len(asked) == 8
    assert {one.retainOnDelete for one in asked} == {not render}
    if not render:
        assert {one.provider for one in asked} == {namespace.provider}, (
            "the one that takes over what is there"
        )
    marks = {
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    }
    kept = found.of("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser", "Namespace")
    assert all(marks.items() <= annotations_of(one).items() for one in kept)


def test_strimzi_runs_the_version_that_it_likes_best_unless_one_is_named() -> None:
    (free,) = made("phase3-strimzi").of("Kafka")
    assert "version" not in free["spec"]["kafka"]
    (named,) = made("phase3-strimzi", kafka={"mode": "strimzi", "version": "4.2.0"}).of("Kafka")
    assert named["spec"]["kafka"]["version"] == "4.2.0"


def test_strimzis_brokers_may_write_to_a_new_volume() -> None:
    """The operator gives pods the group of their volumes unless the pool has a security context for them."""
    (pool,) = made("phase3-strimzi").of("KafkaNodePool")
    template = pool["spec"]["template"]
    assert "securityContext" not in template["pod"]
    assert template["kafkaContainer"]["securityContext"]["runAsNonRoot"]


def test_strimzis_pods_are_placed_and_started_as_the_settings_say() -> None:
    found = made("phase4-strimzi")
    (pool,), (kafka,) = found.of("KafkaNodePool"), found.of("Kafka")
    assert [volume["class"] for volume in pool["spec"]["storage"]["volumes"]] == ["fast"]
    brokers = pool["spec"]["template"]["pod"]
    operators = kafka["spec"]["entityOperator"]["template"]["pod"]
    wanted = {"key": "example.com/pool", "operator": "In", "values": ["telemetry"]}
    for pod in (brokers, operators):
        nodes = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert nodes == {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}
        assert pod["tolerations"] == [
            {"key": "example.com/telemetry", "operator": "Exists", "effect": "NoSchedule"}
        ]
        assert pod["priorityClassName"] == "telemetry"
        assert pod["imagePullSecrets"] == [{"name": "registry-login"}]
    assert (spread_over_zones(brokers), is_kept_apart(brokers)) == (("DoNotSchedule", "Honor"), True)
    assert "podAntiAffinity" not in operators["affinity"], "each is one pod"
    # The operator hands the labels of its resources down to all that it makes.
    declared = found.of("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser")
    assert all(one["metadata"]["labels"]["example.com/team"] == "platform" for one in declared)


def test_strimzis_ca_outlives_the_collectors_that_have_read_it() -> None:
    (kafka,) = made("phase3-strimzi").of("Kafka")
    assert kafka["spec"]["clusterCa"] == {"validityDays": 3650, "renewalDays": 365}


@PLACED
def test_strimzis_brokers_are_spread_as_the_settings_say(
    how: str, over_zones: tuple[str, str | None], *, apart: bool
) -> None:
    (pool,) = spread("phase3-strimzi", how).of("KafkaNodePool")
    pod = pool["spec"]["template"]["pod"]
    assert (spread_over_zones(pod), is_kept_apart(pod)) == (over_zones, apart)
