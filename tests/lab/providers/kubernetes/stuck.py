"""Why an object is not ready: what its pods wait for, and what the cluster said about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes.naming import name_of, namespace_of
from tests.lab.providers.kubernetes.objects import Objects
from tests.lab.providers.kubernetes.readiness import condition

_OWNERS = frozenset({"DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "Service", "StatefulSet"})
_MOST = 3
"""Pods and events reported at most; the others rarely say anything else."""


def explained(values: Mapping[str, Any], objects: Objects) -> str:
    """One line for each stuck pod, or what kept pods from being made; empty when nothing is known."""
    try:
        pods = [pod for pod in _pods(values, objects) if condition(pod, "Ready").get("status") != "True"]
        lines = [_pod_line(pod, objects) for pod in pods[:_MOST]] or list(_events_of(values, objects))
    except ProviderError as error:
        lines = [f"why is not known: {error}"]
    if not lines:
        return ""
    more = [f"and {len(pods) - _MOST} more pods"] if len(pods) > _MOST else []
    return "".join(f"\n  - {line}" for line in [*lines, *more])


def _pods(values: Mapping[str, Any], objects: Objects) -> list[dict[str, Any]]:
    if values["kind"] == "Pod":
        return [dict(values)]
    if values["kind"] not in _OWNERS:
        return []
    selector = values["spec"].get("selector") or {}
    labels = selector if values["kind"] == "Service" else selector.get("matchLabels") or {}
    if not labels:
        return []
    wanted = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    pods = objects.select("v1", "Pod", namespace_of(values), [("labelSelector", wanted)])
    return [pod for pod in pods if pod.get("status", {}).get("phase") != "Succeeded"]


def _pod_line(pod: dict[str, Any], objects: Objects) -> str:
    reasons = list(_container_reasons(pod))
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        reasons.append(f"{scheduled.get('reason')}: {scheduled.get('message')}")
    if not reasons or any("ContainerCreating" in reason for reason in reasons):
        reasons += _warnings(pod, objects)
    told = "; ".join(reasons) or f"it is {pod.get('status', {}).get('phase')} and not ready"
    return f"pod {name_of(pod)}: {told}"


def _container_reasons(pod: dict[str, Any]) -> Iterator[str]:
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        state, last = container.get("state", {}), container.get("lastState", {})
        if waiting := state.get("waiting"):
            yield f"container {container['name']} waits: {_reason(waiting)}"
        for ended in (state.get("terminated"), last.get("terminated")):
            if ended and ended.get("exitCode"):
                yield f"container {container['name']} ended with {ended['exitCode']}: {_reason(ended)}"
        if state.get("running") and not container.get("ready"):
            yield f"container {container['name']} runs and is not ready"


def _reason(state: dict[str, Any]) -> str:
    return ": ".join(str(state[key]).strip() for key in ("reason", "message") if state.get(key))


def _warnings(about: Mapping[str, Any], objects: Objects) -> list[str]:
    """The newest warnings of the cluster about an object."""
    selector = f"involvedObject.name={name_of(about)},type=Warning"
    events = objects.select("v1", "Event", namespace_of(about), [("fieldSelector", selector)])
    newest = sorted(events, key=_time)[-_MOST:]
    return list(dict.fromkeys(f"{event.get('reason')}: {event.get('message')}" for event in newest))


def _events_of(values: Mapping[str, Any], objects: Objects) -> Iterator[str]:
    """Warnings about the object, or about the replica sets that a deployment made."""
    yield from _warnings(values, objects)
    if values["kind"] != "Deployment":
        return
    sets = objects.select("apps/v1", "ReplicaSet", namespace_of(values))
    owned = [item for item in sets if _is_owned(item, values["metadata"]["uid"])]
    for item in sorted(owned, key=lambda item: str(item["metadata"]["creationTimestamp"]))[-1:]:
        yield from _warnings(item, objects)


def _is_owned(item: dict[str, Any], uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in item["metadata"].get("ownerReferences", []))


def _time(event: dict[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
