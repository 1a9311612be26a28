"""What the kubernetes stand-in waits for, and what it says of objects that do not get ready."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes import conditions
from tests.lab.providers.kubernetes.cluster import Cluster
from tests.lab.providers.kubernetes.objects import Objects
from tests.lab.providers.kubernetes.readiness import check_for
from tests.lab.providers.kubernetes.settings import Settings
from tests.lab.providers.kubernetes.stuck import explained
from tests.lab.providers.kubernetes.waiting import NotReadyError, Pending, Wait, timeout_of, until


class Shelf(Objects):
    """Objects in a list."""

    def __init__(self, *found: dict[str, Any]) -> None:
        super().__init__(Cluster(Settings()))
        self.found = found

    def get(self, like: Mapping[str, Any]) -> dict[str, Any] | None:
        return next((one for one in self.found if one["metadata"]["name"] == like["metadata"]["name"]), None)

    def select(
        self, api_version: str, kind: str, namespace: str, selectors: Iterable[tuple[str, str]] = ()
    ) -> list[dict[str, Any]]:
        del namespace, selectors
        return [one for one in self.found if (one["apiVersion"], one["kind"]) == (api_version, kind)]


def made(version: str, kind: str, spec: Any = None, status: Any = None, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "a", "namespace": "b", "generation": 2, "uid": "1", **metadata},
        "spec": spec or {},
        "status": status or {},
    }


def lacks(values: dict[str, Any], *others: dict[str, Any]) -> str | None:
    check = check_for(values)
    assert check is not None
    pending = check(values, Shelf(*others))
    return pending.reason if pending else None


SEEN = {"observedGeneration": 2}
ROLLED = {"currentRevision": "r", "updateRevision": "r"}


@pytest.mark.parametrize(
    ("spec", "status", "lacking"),
    [
        ({"replicas": 2}, {"observedGeneration": 1, "updatedReplicas": 2}, "new revision"),
        ({"replicas": 2}, {**SEEN, "updatedReplicas": 1, "replicas": 3}, "1 of 2 pods are of the new"),
        ({"replicas": 2}, {**SEEN, "updatedReplicas": 2, "replicas": 3}, "1 pods of the old revision"),
        ({}, {**SEEN, "updatedReplicas": 1, "replicas": 1}, "0 of 1 pods are available"),
        ({}, {**SEEN, "updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}, None),
        ({"replicas": 0}, SEEN, None),
    ],
)
def test_deployments(spec: Any, status: Any, lacking: str | None) -> None:
    reason = lacks(made("apps/v1", "Deployment", spec, status))
    assert (reason is None) if lacking is None else lacking in str(reason)


@pytest.mark.parametrize(
    ("spec", "status", "lacking"),
    [
        ({"replicas": 2}, {**SEEN, "readyReplicas": 1}, "1 of 2 pods are ready"),
        (
            {"replicas": 2},
            {**SEEN, "readyReplicas": 2, "updatedReplicas": 1, "currentRevision": "r", "updateRevision": "s"},
            "1 of 2 pods are of the new revision",
        ),
        ({"replicas": 2}, {**SEEN, "readyReplicas": 2, "updatedReplicas": 2, **ROLLED}, None),
        (
            {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            {**SEEN, "readyReplicas": 2, "updatedReplicas": 1, "currentRevision": "r", "updateRevision": "s"},
            None,
        ),
    ],
)
def test_stateful_sets(spec: Any, status: Any, lacking: str | None) -> None:
    assert lacks(made("apps/v1", "StatefulSet", spec, status)) == lacking


def test_services_need_a_ready_pod_unless_they_reach_pods_directly_or_none() -> None:
    selecting = {"selector": {"app": "a"}}
    endpoints = made("discovery.k8s.io/v1", "EndpointSlice")
    waiting = {**endpoints, "endpoints": [{"conditions": {"ready": False}}]}
    ready = {**endpoints, "endpoints": [{"conditions": {"ready": True}}]}
    service = made("v1", "Service", selecting)
    assert lacks(service, waiting) == "none of the 1 pods that it selects is ready"
    assert lacks(service, waiting, ready) is None
    for spec in ({**selecting, "clusterIP": "None"}, {}, {**selecting, "type": "ExternalName"}):
        assert lacks(made("v1", "Service", spec), waiting) is None
    balanced = made("v1", "Service", {**selecting, "type": "LoadBalancer"})
    assert lacks(balanced, ready) == "no load balancer has given it an address"


def test_volume_claims_wait_for_their_volume_or_for_their_first_user() -> None:
    claim = made("v1", "PersistentVolumeClaim", {"storageClassName": "fast"}, {"phase": "Pending"})
    storage = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}}
    assert lacks(claim, {**storage, "volumeBindingMode": "WaitForFirstConsumer"}) is None
    assert lacks(claim, {**storage, "provisioner": "disk"}) == "it is Pending; disk has made no volume for it"
    assert lacks(claim) == "it is Pending, and there is no storage class fast"
    assert lacks(made("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"})) is None


def test_jobs_end_in_one_way_or_the_other() -> None:
    def job(kind: str) -> dict[str, Any]:
        condition = {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}
        return made("batch/v1", "Job", {}, {"conditions": [condition]})

    check = check_for(job("Failed"))
    assert check is not None
    assert check(job("Complete"), Shelf()) is None
    assert check(job("Failed"), Shelf()) == Pending(reason="BackoffLimitExceeded: too often", failed=True)
    assert check(made("batch/v1", "Job"), Shelf()) == Pending(reason="0 of 1 pods have succeeded")


@pytest.mark.parametrize("kind", [("v1", "ConfigMap"), ("autoscaling/v2", "HorizontalPodAutoscaler")])
def test_what_is_ready_at_once(kind: tuple[str, str]) -> None:
    assert check_for(made(*kind)) is None


STATUS = {
    "phase": "Ready",
    "size": 3,
    "conditions": [{"type": "Ready", "status": "True"}, {"type": "Old", "status": "False"}],
}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("condition=Ready", True),
        ("condition=Old", False),
        ("condition=Old=False", True),
        ("condition=Other", False),
        ("jsonpath={.status.phase}=Ready", True),
        ("jsonpath={.status.phase}=Failed", False),
        ("jsonpath={.status.size}=3", True),
        ("jsonpath={.status.missing}", False),
        ("jsonpath={$.status.phase}", True),
        ("jsonpath={.status.conditions[1].type}=Old", True),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
        ('["condition=Ready", "jsonpath={.status.size}=4"]', False),
    ],
)
def test_conditions_that_the_program_names(expression: str, holds: bool) -> None:
    assert (conditions.pending(expression, made("a/v1", "A", status=STATUS)) is None) == holds


@pytest.mark.parametrize("expression", ["Ready", "jsonpath=.status", "jsonpath={.status..phase}"])
def test_conditions_of_no_known_form_are_refused(expression: str) -> None:
    with pytest.raises(ProviderError, match=r"pulumi\.com/waitFor has"):
        conditions.pending(expression, made("a/v1", "A", status=STATUS))


def test_a_stuck_pod_is_named_with_what_it_waits_for() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    crashed = {"terminated": {"reason": "Error", "exitCode": 1}}
    pods = [
        made("v1", "Pod", name="one", status={"containerStatuses": [{"name": "c", "state": waiting}]}),
        made(
            "v1",
            "Pod",
            name="two",
            status={"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
        ),
        made(
            "v1",
            "Pod",
            name="three",
            status={"containerStatuses": [{"name": "c", "state": waiting, "lastState": crashed}]},
        ),
        made("v1", "Pod", name="fine", status={"conditions": [{"type": "Ready", "status": "True"}]}),
    ]
    text = explained(made("apps/v1", "Deployment", {"selector": {"matchLabels": {"a": "b"}}}), Shelf(*pods))
    assert "pod one: container c waits: ImagePullBackOff: no such image" in text
    assert "pod two: Unschedulable" in text
    assert "container c ended with 1: Error" in text
    assert "fine" not in text


def test_without_pods_the_clusters_warnings_are_told() -> None:
    newest = made("apps/v1", "ReplicaSet", ownerReferences=[{"uid": "1"}], creationTimestamp="2")
    event = {**made("v1", "Event"), "reason": "FailedCreate", "message": "violates PodSecurity"}
    deployment = made("apps/v1", "Deployment", {"selector": {"matchLabels": {"a": "b"}}})
    assert "FailedCreate: violates PodSecurity" in explained(deployment, Shelf(newest, event))


def test_how_long_to_wait() -> None:
    annotated = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "30"}}}
    assert (timeout_of({}, 0), timeout_of(annotated, 0), timeout_of(annotated, 5)) == (600, 30, 5)


def test_a_wait_ends_when_ready_failed_out_of_time_or_cancelled() -> None:
    told: list[str] = []
    states = iter([Pending(reason="nearly"), None])
    wait = Wait(timeout=30, cancelled=threading.Event(), tell=told.append)
    until(lambda: next(states), wait)
    assert told == ["nearly", ""]
    with pytest.raises(NotReadyError, match=r"^broken$"):
        until(lambda: Pending(reason="broken", failed=True), wait)
    with pytest.raises(NotReadyError, match=r"^slow \(waited 0 s\)$"):
        until(lambda: Pending(reason="slow"), Wait(timeout=0, cancelled=threading.Event(), tell=told.append))
    wait.cancelled.set()
    with pytest.raises(NotReadyError, match="cancelled"):
        until(lambda: Pending(reason="slow"), wait)
