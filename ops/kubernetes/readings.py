"""Does every program have its pods, and every claim its volume?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.platform.manifests.scope import NAME
from ops.health.model import Reading
from ops.kubernetes.claims import SELECTOR
from ops.kubernetes.kubectl import Kubectl

Object = Mapping[str, Any]

_KINDS = "deployments,statefulsets,pods,persistentvolumeclaims"


def cluster_readings(kubectl: Kubectl, programs: Sequence[str] | None) -> Iterator[Reading]:
    """Read every program's pods, and every claim.

    Args:
        kubectl: bound to the stack's namespace.
        programs: those that must be there; None where only the cluster knows.

    Raises:
        KubectlError: the API server did not say.
    """
    found: dict[str, list[Object]] = defaultdict(list)
    for one in kubectl.objects(_KINDS, SELECTOR):
        found[str(one["kind"])].append(one)
    owners = {_name(one): one for kind in ("Deployment", "StatefulSet") for one in found[kind]}
    names = sorted(owners) if programs is None else programs
    if not names:
        yield Reading(
            area="programs", name="all", status="degraded", found="the stack is down", advice="make up"
        )
    for name in names:
        pods = [pod for pod in found["Pod"] if pod["metadata"]["labels"].get(NAME) == name]
        yield _program(kubectl, name, owners.get(name), pods)
    for claim in found["PersistentVolumeClaim"]:
        yield _claim(kubectl, claim)


def _program(kubectl: Kubectl, name: str, owner: Object | None, pods: list[Object]) -> Reading:
    if owner is None:
        advice = "make up brings it back"
        return Reading(area="programs", name=name, status="degraded", found="it is not there", advice=advice)
    wanted = int(owner["spec"].get("replicas", 1))
    ready = int(owner["status"].get("readyReplicas", 0))
    troubles = [trouble for pod in pods for trouble in _troubles(pod)]
    text = "; ".join([f"{ready} of {wanted} ready", *troubles, *_restarts(pods)])
    if ready < wanted:
        advice = kubectl.typed("describe", "pods", "-l", f"{NAME}={name}")
        return Reading(area="programs", name=name, status="degraded", found=text, advice=advice)
    return Reading(area="programs", name=name, found=text)


def _troubles(pod: Object) -> Iterator[str]:
    """Why a pod does not run, in the words of scheduler and kubelet."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield f"{_name(pod)}: {condition.get('message', 'not scheduled')}"
    for container in _containers(pod):
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            yield f"{_name(pod)}: {waiting.get('reason', 'waiting')}"


def _restarts(pods: list[Object]) -> Iterator[str]:
    for pod in pods:
        for container in _containers(pod):
            count = int(container.get("restartCount", 0))
            last = ((container.get("lastState") or {}).get("terminated") or {}).get("reason", "unknown")
            if count:
                yield f"{_name(pod)}: {count} restarts, the last after {last}"


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _claim(kubectl: Kubectl, claim: Object) -> Reading:
    name, status = _name(claim), claim["status"]
    storage = f"{status.get('capacity', {}).get('storage', 'no volume')}"
    if status["phase"] != "Bound":
        advice = kubectl.typed("describe", "persistentvolumeclaim", name)
        return Reading(area="disk", name=name, status="degraded", found=status["phase"], advice=advice)
    found = f"{storage} of class {claim['spec'].get('storageClassName', 'unknown')}"
    return Reading(area="disk", name=name, found=found)


def _name(found: Object) -> str:
    return str(found["metadata"]["name"])
