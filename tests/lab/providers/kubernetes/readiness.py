"""When an object counts as ready, by kind: what the official plugin waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.lab.providers.kubernetes.naming import name_of, namespace_of
from tests.lab.providers.kubernetes.objects import Objects
from tests.lab.providers.kubernetes.waiting import Pending

Values = Mapping[str, Any]
Check = Callable[[Values, Objects], "Pending | None"]


def check_for(values: Values) -> Check | None:
    """How to tell that an object of this kind is ready, None when it is ready at once."""
    return _CHECKS.get((values["apiVersion"], values["kind"]))


def condition(values: Values, kind: str) -> dict[str, Any]:
    """A condition of the object's status, empty when it is not there."""
    conditions = _status(values).get("conditions") or []
    return next((item for item in conditions if item.get("type") == kind), {})


def _deployment(values: Values, objects: Objects) -> Pending | None:
    del objects
    status, wanted = _status(values), values["spec"].get("replicas", 1)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if _is_unseen(values) or updated < wanted:
        return Pending(reason=f"{updated} of {wanted} pods are of the new revision")
    if status.get("replicas", 0) > updated:
        return Pending(reason=f"{status['replicas'] - updated} pods of the old revision are still there")
    if available < updated:
        return Pending(reason=f"{available} of {wanted} pods are available")
    return None


def _stateful_set(values: Values, objects: Objects) -> Pending | None:
    del objects
    status, spec = _status(values), values["spec"]
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    strategy = spec.get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    rolled = max(wanted - partition, 0) if strategy.get("type") != "OnDelete" else 0
    updated = status.get("updatedReplicas", 0)
    if _is_unseen(values) or ready < wanted:
        return Pending(reason=f"{ready} of {wanted} pods are ready")
    is_current = status.get("currentRevision") == status.get("updateRevision")
    if updated < rolled or (rolled == wanted and not is_current):
        return Pending(reason=f"{updated} of {rolled} pods are of the new revision")
    return None


def _daemon_set(values: Values, objects: Objects) -> Pending | None:
    del objects
    status = _status(values)
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    if _is_unseen(values) or updated < wanted:
        return Pending(reason=f"{updated} of {wanted} pods are of the new revision")
    return Pending(reason=f"{available} of {wanted} pods are available") if available < wanted else None


def _service(values: Values, objects: Objects) -> Pending | None:
    spec = values["spec"]
    if spec.get("type") == "LoadBalancer" and not _addresses(values):
        return Pending(reason="no load balancer has given it an address")
    is_direct = spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None"
    if is_direct or not spec.get("selector"):
        return None
    label = f"kubernetes.io/service-name={name_of(values)}"
    slices = objects.select(
        "discovery.k8s.io/v1", "EndpointSlice", namespace_of(values), [("labelSelector", label)]
    )
    endpoints = [endpoint for item in slices for endpoint in item.get("endpoints") or []]
    if any(endpoint.get("conditions", {}).get("ready") for endpoint in endpoints):
        return None
    return Pending(reason=f"none of the {len(endpoints)} pods that it selects is ready")


def _ingress(values: Values, objects: Objects) -> Pending | None:
    del objects
    return None if _addresses(values) else Pending(reason="no ingress controller has given it an address")


def _job(values: Values, objects: Objects) -> Pending | None:
    del objects
    failed = condition(values, "Failed")
    if failed.get("status") == "True":
        return Pending(reason=f"{failed.get('reason')}: {failed.get('message')}", failed=True)
    if condition(values, "Complete").get("status") == "True":
        return None
    status, wanted = _status(values), values["spec"].get("completions", 1)
    return Pending(reason=f"{status.get('succeeded', 0)} of {wanted} pods have succeeded")


def _volume_claim(values: Values, objects: Objects) -> Pending | None:
    phase, spec = _status(values).get("phase"), values["spec"]
    if phase == "Bound":
        return None
    name = spec.get("storageClassName")
    if not name:
        return Pending(reason=f"it is {phase} and names no storage class; is there a default one?")
    like = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    storage_class = objects.get(like)
    if storage_class is None:
        return Pending(reason=f"it is {phase}, and there is no storage class {name}")
    if storage_class.get("volumeBindingMode") == "WaitForFirstConsumer":
        return None
    return Pending(reason=f"it is {phase}; {storage_class['provisioner']} has made no volume for it")


def _volume(values: Values, objects: Objects) -> Pending | None:
    del objects
    phase = _status(values).get("phase")
    return None if phase in ("Available", "Bound") else Pending(reason=f"it is {phase}")


def _pod(values: Values, objects: Objects) -> Pending | None:
    del objects
    phase = _status(values).get("phase")
    if phase == "Failed":
        return Pending(reason=f"it has failed: {_status(values).get('message', '')}", failed=True)
    if phase == "Succeeded" or condition(values, "Ready").get("status") == "True":
        return None
    return Pending(reason=f"it is {phase} and not ready")


_CHECKS: Mapping[tuple[str, str], Check] = {
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("batch/v1", "Job"): _job,
    ("networking.k8s.io/v1", "Ingress"): _ingress,
    ("v1", "PersistentVolume"): _volume,
    ("v1", "PersistentVolumeClaim"): _volume_claim,
    ("v1", "Pod"): _pod,
    ("v1", "Service"): _service,
}


def _status(values: Values) -> dict[str, Any]:
    return values.get("status") or {}


def _is_unseen(values: Values) -> bool:
    """True while the controller has not seen the newest specification."""
    return bool(_status(values).get("observedGeneration", 0) < values["metadata"].get("generation", 0))


def _addresses(values: Values) -> list[Any]:
    return (_status(values).get("loadBalancer") or {}).get("ingress") or []
