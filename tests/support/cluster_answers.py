"""What a kubectl that plays a cluster tells of it: workloads, claims, and what the stack's state has."""

from __future__ import annotations

from typing import Any

from ops.inventory import Inventory

INVENTORY = Inventory(
    programs=("kafka-topics", "loki", "otel-gateway"), probes={}, data_volumes=(), kept_urns=()
)
OURS = ("app.kubernetes.io/part-of", "otel-stack")


def workload(name: str, *, wanted: int = 1, ready: int = 1) -> dict[str, Any]:
    """Give a Deployment."""
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready},
    }


def claim(name: str, phase: str, label: tuple[str, str] = OURS) -> dict[str, Any]:
    """Give a claim of 5 GiB."""
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": dict([label])},
        "spec": {"storageClassName": "fast"},
        "status": {"phase": phase, **({"capacity": {"storage": "5Gi"}} if phase == "Bound" else {})},
    }
