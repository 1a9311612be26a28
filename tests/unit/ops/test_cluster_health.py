"""The health of a stack on Kubernetes, as a kubectl tells it that plays a cluster."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ops.health.model import Reading, Status
from ops.inventory import Inventory
from ops.kubernetes.autoscalers import autoscaler_readings
from ops.kubernetes.readings import quantity
from tests.support.cluster_answers import INVENTORY, claim, workload
from tests.support.ops_cluster import Cluster


def pod(owner: str, name: str, **status: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": owner}},
        "status": status,
    }


def autoscaler(minutes: float, **conditions: str) -> dict[str, Any]:
    since = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    moment = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "otel-gateway"},
        "spec": {"minReplicas": 2, "maxReplicas": 6},
        "status": {
            "currentReplicas": 2,
            "conditions": [
                {"type": kind, "status": status, "message": "no metrics", "lastTransitionTime": moment}
                for kind, status in conditions.items()
            ],
        },
    }


@pytest.mark.parametrize(
    ("minutes", "conditions", "status", "found"),
    [
        (60, {"AbleToScale": "True", "ScalingActive": "True"}, "healthy", "2 to 6 replicas, now 2"),
        (60, {"AbleToScale": "True", "ScalingLimited": "False"}, "healthy", "2 to 6 replicas, now 2"),
        (60, {"AbleToScale": "True", "ScalingActive": "False"}, "degraded", "no metrics"),
        (1, {"AbleToScale": "True", "ScalingActive": "False"}, "healthy", "2 to 6 replicas, now 2"),
    ],
)
def test_an_autoscaler_without_figures_is_told(
    cluster: Cluster, minutes: float, conditions: dict[str, str], status: str, found: str
) -> None:
    cluster.says("get horizontalpodautoscalers", {"items": [autoscaler(minutes, **conditions)]})
    (reading,) = autoscaler_readings(cluster.kubectl(), by_lag=False)
    assert (reading.status, reading.found) == (status, found)


def test_kedas_object_is_asked_too(cluster: Cluster) -> None:
    condition = {"type": "Ready", "status": "False", "message": "no broker answers"}
    scaled = {
        "kind": "ScaledObject",
        "metadata": {"name": "otel-processor"},
        "spec": {"minReplicaCount": 2, "maxReplicaCount": 6},
        "status": {"conditions": [condition]},
    }
    cluster.says("get horizontalpodautoscalers,scaledobjects.keda.sh", {"items": [scaled]})
    (reading,) = autoscaler_readings(cluster.kubectl(), by_lag=True)
    assert (reading.name, reading.found) == ("otel-processor (KEDA)", "no broker answers")
    assert reading.status == "degraded"


def test_claims_that_are_smaller_than_the_settings_ask_for_are_told(cluster: Cluster) -> None:
    asked = {"storage.otel-stack.io/kafka-data": "6Gi"}
    brokers = {**workload("kafka", wanted=2, ready=2), "kind": "StatefulSet"}
    brokers["metadata"] = {**brokers["metadata"], "annotations": asked}
    larger = claim("kafka-data-kafka-2", "Bound")
    larger["status"]["capacity"]["storage"] = "6442450944"
    objects = [brokers, claim("kafka-data-kafka-1", "Bound"), larger]
    cluster.says("get deployments,statefulsets,pods,persistentvolumeclaims", {"items": objects})
    readings = {one.name: one for one in cluster.site().readings(INVENTORY)}
    assert readings["kafka-data-kafka-2"].status == "healthy"
    assert readings["kafka-data-kafka-1"].status == "degraded"
    assert readings["kafka-data-kafka-1"].found == "5Gi of class fast, the settings ask for 6Gi"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("16Gi", 16 * 2**30),
        ("1.5Ti", 1.5 * 2**40),
        ("5G", 5e9),
        ("1048576", 2**20),
        ("16GiB", None),
        ("", None),
    ],
)
def test_amounts_of_storage_are_read(text: str, amount: float | None) -> None:
    assert quantity(text) == amount


NO_PROGRESS = {"type": "Progressing", "status": "False", "message": "ReplicaSet loki-2 has timed out."}
NO_NODE = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}


def waits(reason: str) -> dict[str, Any]:
    return {"containerStatuses": [{"state": {"waiting": {"reason": reason}}}]}


def test_programs_pods_and_claims(cluster: Cluster) -> None:
    restarted = {"restartCount": 2, "lastState": {"terminated": {"reason": "OOMKilled"}}}
    objects = [
        workload("otel-gateway", wanted=3, ready=1),
        pod("otel-gateway", "otel-gateway-a", conditions=[NO_NODE]),
        pod("otel-gateway", "otel-gateway-b", **waits("Bad")),
        workload("loki"),
        pod("loki", "loki-1", containerStatuses=[restarted]),
        claim("loki-data-loki-1", "Bound"),
        claim("jaeger-data-jaeger-1", "Pending"),
    ]
    cluster.says("get deployments,statefulsets,pods,persistentvolumeclaims", {"items": objects})
    readings = {one.name: one for one in cluster.site().readings(INVENTORY)}
    assert {name: one.found for name, one in readings.items()} == {
        "kafka-topics": "it is not there",
        "loki": "1 of 1 ready; loki-1: 2 restarts, the last after OOMKilled",
        "otel-gateway": "1 of 3 ready; otel-gateway-a: 0/1 nodes are available; otel-gateway-b: Bad",
        "loki-data-loki-1": "5Gi of class fast",
        "jaeger-data-jaeger-1": "Pending",
    }
    healthy = [name for name, one in readings.items() if one.status == "healthy"]
    assert healthy == ["loki", "loki-data-loki-1"]
    assert readings["otel-gateway"].advice.endswith("describe pods -l app.kubernetes.io/name=otel-gateway")


@pytest.mark.parametrize(
    ("owner", "new", "status", "found"),
    [
        ({}, waits("ImagePullBackOff"), "degraded", "loki-2: ImagePullBackOff"),
        ({}, waits("CrashLoopBackOff"), "degraded", "loki-2: CrashLoopBackOff"),
        ({}, waits("CreateContainerConfigError"), "degraded", "loki-2: CreateContainerConfigError"),
        ({}, {"conditions": [NO_NODE]}, "degraded", "loki-2: 0/1 nodes are available"),
        ({"conditions": [NO_PROGRESS]}, {}, "degraded", "ReplicaSet loki-2 has timed out."),
        ({"conditions": [{**NO_PROGRESS, "status": "True"}]}, {}, "healthy", ""),
        ({}, waits("ContainerCreating"), "healthy", "loki-2: ContainerCreating"),
        ({}, waits("PodInitializing"), "healthy", "loki-2: PodInitializing"),
    ],
)
def test_a_rollout_that_is_stuck_is_told_from_one_that_goes_on(
    cluster: Cluster, owner: dict[str, Any], new: dict[str, Any], status: Status, found: str
) -> None:
    """The old pods stay ready meanwhile."""
    loki = workload("loki")
    loki["status"] |= owner
    objects = [loki, pod("loki", "loki-1"), pod("loki", "loki-2", **new)]
    cluster.says("get deployments,statefulsets,pods,persistentvolumeclaims", {"items": objects})
    reading = {one.name: one for one in cluster.site().readings(INVENTORY)}["loki"]
    assert (reading.status, reading.found) == (status, "; ".join(filter(None, ("1 of 1 ready", found))))


@pytest.mark.parametrize("variables", [[], [{"name": "AWS_REGION"}]])
def test_a_pod_that_was_created_before_its_role_is_degraded(
    cluster: Cluster, variables: list[dict[str, str]]
) -> None:
    early, late = pod("loki", "loki-1"), pod("loki", "loki-2")
    given = [*variables, {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI"}]
    for one, env in ((early, variables), (late, given)):
        one["metadata"]["annotations"] = {"otel-stack.io/associated-role": "arn:aws:iam::123456789012:role/l"}
        one["spec"] = {"containers": [{"name": "loki", "env": env}]}
    cluster.says(
        "get deployments,statefulsets,pods,persistentvolumeclaims", {"items": [workload("loki"), early, late]}
    )
    reading = {one.name: one for one in cluster.site().readings(INVENTORY)}["loki"]
    assert reading.status == "degraded"
    assert reading.found == "1 of 1 ready; loki-1: created before EKS knew its role: delete this pod"


def test_a_program_scaled_to_0_is_not_healthy(cluster: Cluster) -> None:
    objects = [workload("otel-gateway", wanted=0, ready=0)]
    cluster.says("get deployments,statefulsets,pods,persistentvolumeclaims", {"items": objects})
    inventory = Inventory(programs=("otel-gateway",), probes={}, data_volumes=(), kept_urns=())
    (reading,) = cluster.site().readings(inventory)
    assert (reading.status, reading.found) == ("degraded", "scaled to 0")
    assert reading.advice.endswith("scale deployment otel-gateway --replicas=REPLICAS")


def test_cluster_that_is_away_is_unknown(cluster: Cluster) -> None:
    cluster.fails("get deployments", "The connection to the server 10.0.0.1:6443 was refused")
    (reading,) = cluster.site().readings(INVENTORY)
    assert isinstance(reading, Reading)
    assert (reading.status, reading.name) == ("unknown", "pods")
