"""Pods on simulated nodes, which run in name only; scheduler, controllers and eviction API are the real ones.

Volumes are such as every node reaches: with disks of a zone, a pod of that zone would have to wait for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml

from tests.lab.cluster import kubectl, lifecycle, simulation
from tests.support.cluster import Cluster
from tests.support.namespaces import await_gone, let_go
from tests.support.stack import Stack
from tests.support.waiting import until

ZONES = 3
VOLUMES = 20
"""More than the claims of any stack here."""
NAME, ZONE = "app.kubernetes.io/name", "topology.kubernetes.io/zone"
SETTLE_SECONDS = 120.0


@contextmanager
def simulated_nodes(
    kubernetes: Cluster, count: int, *, cpu: str = "8", memory: str = "32Gi"
) -> Iterator[Mapping[str, str]]:
    """Have this many nodes of one size in three zones; give each one's zone."""
    _make_nodes(count, cpu, memory)
    try:
        nodes = kubernetes.get("nodes", f"--selector={simulation.LABEL}")["items"]
        yield {one["metadata"]["name"]: one["metadata"]["labels"][ZONE] for one in nodes}
    finally:
        _make_nodes(0, cpu, memory)


def _make_nodes(count: int, cpu: str, memory: str) -> None:
    with lifecycle.lock():
        simulation.apply(count=count, zones=ZONES, cpu=cpu, memory=memory)


@contextmanager
def brought_up(kubernetes: Cluster, stack: Stack, name: str) -> Iterator[Stack]:
    """Have a stack up, in a namespace and with volumes of this name; nothing of it is left afterwards."""
    with _volumes(kubernetes, name):
        try:
            stack.up()
            yield stack
        finally:
            try:
                stack.destroy()
            finally:
                let_go(name)
                await_gone(name)


@contextmanager
def _volumes(kubernetes: Cluster, name: str) -> Iterator[None]:
    objects = [_storage_class(name), *(_volume(name, number) for number in range(VOLUMES))]
    kubectl.apply(yaml.safe_dump_all(objects))
    try:
        yield
    finally:
        kubernetes.kubectl("delete", "persistentvolume", f"--selector=of={name}")
        kubernetes.kubectl("delete", "storageclass", name)


def _storage_class(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _volume(name: str, number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{name}-{number}", "labels": {"of": name}},
        "spec": {
            "capacity": {"storage": "1Pi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": name,
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"/nonexistent/{number}"},
        },
    }


def on_simulated_nodes(kubernetes: Cluster, name: str) -> dict[str, Any]:
    """Give the settings of a stack there, in a namespace and with volumes of this name."""
    label, _, value = simulation.LABEL.partition("=")
    return {
        **kubernetes.provider,
        "namespace": name,
        "storageClass": name,
        "nodeSelector": {label: value},
        "tolerations": [{"key": simulation.TAINT}],
    }


def expected_pods(kubernetes: Cluster, namespace: str) -> Mapping[str, int]:
    """Give the pods that each program is to have, once its autoscaler has set their number."""
    found = {
        one["metadata"]["name"]: int(one["spec"]["replicas"])
        for one in kubernetes.get("deployments,statefulsets", f"--namespace={namespace}")["items"]
    }
    scalers = kubernetes.get("horizontalpodautoscalers", f"--namespace={namespace}")["items"]
    least = {one["spec"]["scaleTargetRef"]["name"]: int(one["spec"]["minReplicas"]) for one in scalers}
    return {**found, **least}


def placed(kubernetes: Cluster, namespace: str) -> dict[str, list[str]]:
    """Give, for each program, the node of each pod that is ready."""
    found: dict[str, list[str]] = defaultdict(list)
    for pod in kubernetes.get("pods", f"--namespace={namespace}")["items"]:
        conditions = {one["type"]: one["status"] for one in pod.get("status", {}).get("conditions", [])}
        if conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
            found[pod["metadata"]["labels"][NAME]].append(pod["spec"]["nodeName"])
    return dict(found)


def all_placed(kubernetes: Cluster, namespace: str, expected: Mapping[str, int]) -> dict[str, list[str]]:
    """Wait until every program has its pods; give their nodes."""

    def complete() -> dict[str, list[str]]:
        found = placed(kubernetes, namespace)
        return found if {name: len(nodes) for name, nodes in found.items()} == expected else {}

    return until(f"pods to be ready: {expected}", complete, seconds=SETTLE_SECONDS, pause=1)
