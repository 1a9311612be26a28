"""Deployments and StatefulSets."""

from __future__ import annotations

from components.platform.manifests.config import ConfigObjects
from components.platform.manifests.pod import START_SECONDS, grace, is_stateful, pod_template
from components.platform.manifests.scope import Manifest, Scope, selector
from components.values.quantities import Duration
from components.workload import DataVolume, Workload, headless

STORAGE = "storage.otel-stack.io/"
"""Prefix of a StatefulSet's annotations that record, by volume, what the settings ask for: its claim
templates cannot be changed, and existing claims stay as they are."""

HISTORY = 3
PROGRESS_SECONDS = 600


def deployment_spec(scope: Scope, workload: Workload, objects: ConfigObjects) -> Manifest:
    """Return the spec of a workload without state: a new pod is ready before an old one stops."""
    return {
        **_replicas(workload),
        "selector": {"matchLabels": selector(workload.name)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "revisionHistoryLimit": HISTORY,
        "progressDeadlineSeconds": PROGRESS_SECONDS,
        "template": pod_template(scope, workload, objects),
    }


def stateful_set_spec(scope: Scope, workload: Workload, objects: ConfigObjects) -> Manifest:
    """Return the spec of a workload with volumes or identity: its claims outlive it, pods roll one by one.

    No pod waits for another one to be ready: a processor on a lost node would keep others from being created,
    and a pod that never becomes ready would block the version that fixes it.
    """
    return {
        **_replicas(workload),
        "selector": {"matchLabels": selector(workload.name)},
        **_service(workload),
        "ordinals": {"start": 1},
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        "minReadySeconds": 5 if workload.peers else 0,
        "revisionHistoryLimit": HISTORY,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "template": pod_template(scope, workload, objects),
        "volumeClaimTemplates": [_claim(scope, workload, volume) for volume in workload.volumes],
    }


def rollout(scope: Scope, workload: Workload) -> Duration:
    """Return how long replacing all pods, one after another, may take if none fails.

    A pod that takes longer than its share to start or stop is killed. Those of a StatefulSet stop first, to
    start under the same name; a Deployment's new pod starts beside the old one, whose end nobody awaits.
    """
    scaled = workload.autoscaling
    pods = (workload.replicas or 1) if scaled is None else scaled.maximum
    stop = grace(scope, workload).seconds if is_stateful(workload) else 0
    return Duration(pods * (stop + START_SECONDS))


def storage(workload: Workload) -> dict[str, str]:
    """Return the annotations for what the settings ask for, by volume."""
    return {f"{STORAGE}{volume.name}": _amount(volume) for volume in workload.volumes}


def _service(workload: Workload) -> Manifest:
    """Name the Service that gives the pods their names; a workload that listens on nothing has none."""
    if not workload.ports:
        return {}
    return {"serviceName": headless(workload.name) if workload.peers else workload.name}


def _replicas(workload: Workload) -> Manifest:
    """Leave the number to the autoscaler where there is one: two owners would fight over it."""
    return {} if workload.autoscaling is not None else {"replicas": workload.replicas or 1}


def _claim(scope: Scope, workload: Workload, volume: DataVolume) -> Manifest:
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": _amount(volume)}},
    }
    if scope.section.storage_class is not None:
        spec["storageClassName"] = scope.section.storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": volume.name, "labels": selector(workload.name)},
        "spec": spec,
    }


def _amount(volume: DataVolume) -> str:
    return f"{volume.size.gibibytes_needed}Gi"
