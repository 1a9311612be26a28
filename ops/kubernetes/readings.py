"""Does every program have its pods, and every claim its volume?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.buckets.names import ASSOCIATED_ROLE
from components.platform.manifests.scope import NAME
from components.platform.manifests.workloads import STORAGE
from ops.health.model import Reading
from ops.health.programs import AREA, is_down, is_gone
from ops.kubernetes.claims import SELECTOR
from ops.kubernetes.conditions import unmet
from ops.kubernetes.kubectl import Kubectl

Object = Mapping[str, Any]

SMALLER = "docs/kubernetes.md, A volume of another size: enlarge it, or let sizing say what it has"
_KINDS = "deployments,statefulsets,pods,persistentvolumeclaims"
ROLE_VARIABLE = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""EKS Pod Identity sets it when it admits a pod, and never later."""

_STARTING = {"ContainerCreating", "PodInitializing"}
"""Why containers wait in every start."""


_FACTORS: Mapping[str, int] = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate("KMGTPE", start=1)},
}


def cluster_readings(kubectl: Kubectl, programs: Sequence[str] | None, *, stack: str) -> Iterator[Reading]:
    """Read every program's pods, and every claim.

    Args:
        kubectl: bound to the stack's namespace.
        programs: those that must be there; None where only the cluster knows.
        stack: name of the stack.

    Raises:
        KubectlError: the API server did not say.
    """
    found: dict[str, list[Object]] = defaultdict(list)
    for one in kubectl.objects(_KINDS, SELECTOR):
        found[str(one["kind"])].append(one)
    owners = {_name(one): one for kind in ("Deployment", "StatefulSet") for one in found[kind]}
    names = sorted(owners) if programs is None else programs
    if not names:
        yield is_down(stack)
    for name in names:
        pods = [pod for pod in found["Pod"] if pod["metadata"]["labels"].get(NAME) == name]
        owner = owners.get(name)
        yield (
            is_gone(name, "it is not there", stack) if owner is None else _program(kubectl, name, owner, pods)
        )
    wanted = _wanted(found["StatefulSet"])
    for claim in found["PersistentVolumeClaim"]:
        yield _claim(kubectl, claim, wanted.get(_name(claim).rpartition("-")[0]))


def _program(kubectl: Kubectl, name: str, owner: Object, pods: list[Object]) -> Reading:
    wanted = int(owner["spec"].get("replicas", 1))
    ready = int(owner["status"].get("readyReplicas", 0))
    waiting = list(_waiting(pods))
    starting = [f"{pod}: {reason}" for pod, reason in waiting if reason in _STARTING]
    failing = [f"{pod}: {reason}" for pod, reason in waiting if reason not in _STARTING]
    stuck = [*_stopped(owner), *_unscheduled(pods), *_without_role(pods), *failing]
    text = "; ".join([f"{ready} of {wanted} ready", *stuck, *starting, *_restarts(pods)])
    if wanted == 0:
        kind = str(owner["kind"]).lower()
        advice = f"if nobody means it to rest: {kubectl.typed('scale', kind, name, '--replicas=REPLICAS')}"
        return Reading(area=AREA, name=name, status="degraded", found="scaled to 0", advice=advice)
    if ready < wanted or stuck:
        advice = kubectl.typed("describe", "pods", "-l", f"{NAME}={name}")
        return Reading(area=AREA, name=name, status="degraded", found=text, advice=advice)
    return Reading(area=AREA, name=name, found=text)


def _stopped(owner: Object) -> Iterator[str]:
    """Why the program's new pods do not replace the old ones, which may all be ready meanwhile."""
    return _unmet(owner, "Progressing", "the rollout has stopped")


def _unscheduled(pods: list[Object]) -> Iterator[str]:
    """Why pods have no node, in the words of the scheduler."""
    for pod in pods:
        for message in _unmet(pod, "PodScheduled", "not scheduled"):
            yield f"{_name(pod)}: {message}"


def _unmet(found: Object, kind: str, otherwise: str) -> Iterator[str]:
    """What a condition says that is false; ``otherwise`` where it says nothing."""
    for condition in unmet(found, (kind,)):
        yield str(condition.get("message", otherwise))


def _without_role(pods: list[Object]) -> Iterator[str]:
    """Name the pods that EKS would give a role by now, and that were created too early to get one."""
    for pod in pods:
        variables = {
            variable["name"]
            for container in (pod.get("spec") or {}).get("containers") or []
            for variable in container.get("env") or []
        }
        if ASSOCIATED_ROLE in (pod["metadata"].get("annotations") or {}) and ROLE_VARIABLE not in variables:
            yield f"{_name(pod)}: created before EKS knew its role: delete this pod"


def _waiting(pods: list[Object]) -> Iterator[tuple[str, str]]:
    """Give pods whose containers do not run, and why, in the words of the kubelet."""
    for pod in pods:
        for container in _containers(pod):
            waiting = (container.get("state") or {}).get("waiting")
            if waiting:
                yield _name(pod), str(waiting.get("reason", "waiting"))


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


def _wanted(stateful_sets: list[Object]) -> Mapping[str, str]:
    """What the settings ask for, by the names of the claims without their number."""
    return {
        f"{key.removeprefix(STORAGE)}-{_name(one)}": size
        for one in stateful_sets
        for key, size in (one["metadata"].get("annotations") or {}).items()
        if key.startswith(STORAGE)
    }


def _claim(kubectl: Kubectl, claim: Object, wanted: str | None) -> Reading:
    name, status = _name(claim), claim["status"]
    storage = f"{status.get('capacity', {}).get('storage', 'no volume')}"
    if status["phase"] != "Bound":
        advice = kubectl.typed("describe", "persistentvolumeclaim", name)
        return Reading(area="disk", name=name, status="degraded", found=status["phase"], advice=advice)
    found = f"{storage} of class {claim['spec'].get('storageClassName', 'unknown')}"
    if wanted is not None and _is_less(storage, wanted):
        found = f"{found}, the settings ask for {wanted}"
        return Reading(area="disk", name=name, status="degraded", found=found, advice=SMALLER)
    return Reading(area="disk", name=name, found=found)


def _is_less(storage: str, wanted: str) -> bool:
    have, want = quantity(storage), quantity(wanted)
    return have is not None and want is not None and have < want


def _name(found: Object) -> str:
    return str(found["metadata"]["name"])


def quantity(text: str) -> float | None:
    """Read an amount that Kubernetes writes, such as ``16Gi``, in bytes; None for any other text."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", text)
    if match is None or match[2] not in _FACTORS:
        return None
    return float(match[1]) * _FACTORS[match[2]]
