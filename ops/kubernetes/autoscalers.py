"""Do autoscalers know what to scale by?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ops.health.model import Reading
from ops.health.programs import AREA
from ops.kubernetes.claims import SELECTOR
from ops.kubernetes.conditions import unmet
from ops.kubernetes.kubectl import Kubectl

SETTLING = timedelta(minutes=3)
"""How long an autoscaler may lack its figures: a new pod has none for its first minute or two."""

_NEEDED = ("AbleToScale", "ScalingActive", "Ready")
"""Conditions of an autoscaler, and of KEDA's object."""


def autoscaler_readings(kubectl: Kubectl, *, by_lag: bool) -> Iterator[Reading]:
    """Read every autoscaler, and what KEDA makes its own from.

    Without figures the number of replicas stays as it is, and nothing else shows it.

    Args:
        kubectl: bound to the stack's namespace.
        by_lag: whether KEDA scales the processors.

    Raises:
        KubectlError: the API server did not say.
    """
    now = datetime.now(timezone.utc)
    kinds = ["horizontalpodautoscalers", *(["scaledobjects.keda.sh"] if by_lag else [])]
    for one in kubectl.objects(",".join(kinds), SELECTOR):
        kind, name = str(one["kind"]), str(one["metadata"]["name"])
        lacking = "; ".join(_lacking(one, now))
        called = f"{name} ({'KEDA' if kind == 'ScaledObject' else 'autoscaler'})"
        if lacking:
            advice = kubectl.typed("describe", kind.lower(), name)
            yield Reading(area=AREA, name=called, status="degraded", found=lacking, advice=advice)
        else:
            yield Reading(area=AREA, name=called, found=_found(one))


def _lacking(one: Mapping[str, Any], now: datetime) -> Iterator[str]:
    for condition in unmet(one, _NEEDED):
        since = condition.get("lastTransitionTime")
        if since is None or now - datetime.fromisoformat(since.replace("Z", "+00:00")) > SETTLING:
            yield str(condition.get("message") or f"not {condition['type']}")


def _found(one: Mapping[str, Any]) -> str:
    """Give its bounds, which KEDA's object has under other names, and how many replicas there are."""
    spec, current = one["spec"], (one.get("status") or {}).get("currentReplicas")
    least = spec.get("minReplicas") or spec.get("minReplicaCount", 1)
    most = spec.get("maxReplicas") or spec.get("maxReplicaCount", 1)
    return f"{least} to {most} replicas" + ("" if current is None else f", now {current}")
