"""The large preset on a hundred simulated nodes in three zones: schedules, spreads, survives a zone's end.

Pods on simulated nodes run in name only; scheduler, controllers and eviction API are the real ones. Volumes
are such as every node reaches: with disks of a zone, a pod of that zone would have to wait for it.
"""

from __future__ import annotations

import math
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import cache
from tests.lab.cluster import kubectl, lifecycle, simulation
from tests.support.cluster import Cluster
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.long

NODES, ZONES = 100, 3
NAMESPACE, CLASS = "otel-stack-scale", "otel-stack-scale"
VOLUMES = 20
SETTLE_SECONDS = 120.0
LOSS_SECONDS = 180.0
"""Pods of nodes that are gone are deleted after a minute or so."""

NAME, ZONE = "app.kubernetes.io/name", "topology.kubernetes.io/zone"


@pytest.fixture(scope="module")
def zones(kubernetes: Cluster) -> Iterator[Mapping[str, str]]:
    """The simulated nodes, each with its zone."""
    with lifecycle.lock():
        simulation.apply(count=NODES, zones=ZONES, cpu="8", memory="32Gi")
    try:
        nodes = kubernetes.get("nodes", f"--selector={simulation.LABEL}")["items"]
        yield {one["metadata"]["name"]: one["metadata"]["labels"][ZONE] for one in nodes}
    finally:
        with lifecycle.lock():
            simulation.apply(count=0, zones=ZONES, cpu="8", memory="32Gi")


@pytest.fixture(scope="module")
def volumes(kubernetes: Cluster) -> Iterator[None]:
    """Volumes that every node reaches."""
    objects = [storage_class(), *(volume(number) for number in range(VOLUMES))]
    kubectl.apply(yaml.safe_dump_all(objects))
    yield
    kubernetes.kubectl("delete", "persistentvolume", f"--selector=of={NAMESPACE}")
    kubernetes.kubectl("delete", "storageclass", CLASS)


def storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def volume(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{NAMESPACE}-{number}", "labels": {"of": NAMESPACE}},
        "spec": {
            "capacity": {"storage": "1Pi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": CLASS,
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"/nonexistent/{number}"},
        },
    }


@pytest.fixture(scope="module")
def stack(
    kubernetes: Cluster,
    zones: Mapping[str, str],
    volumes: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    del zones, volumes
    label, _, value = simulation.LABEL.partition("=")
    config = {
        "phase": 3,
        "sizing": {"preset": "large"},
        "kubernetes": {
            **kubernetes.provider,
            "namespace": NAMESPACE,
            "storageClass": CLASS,
            "nodeSelector": {label: value},
            "tolerations": [{"key": simulation.TAINT}],
        },
    }
    made = Stack(name="scale", folder=tmp_path_factory.mktemp("scale") / "stack", config=config)
    try:
        made.up()
        yield made
    finally:
        made.destroy()
        kubernetes.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")


@pytest.fixture(scope="module")
def expected(stack: Stack, kubernetes: Cluster) -> Mapping[str, int]:
    """How many pods each program is to have, once its autoscaler has set their number."""
    found = {
        one["metadata"]["name"]: int(one["spec"]["replicas"])
        for one in kubernetes.get("deployments,statefulsets", f"--namespace={NAMESPACE}")["items"]
    }
    scalers = kubernetes.get("horizontalpodautoscalers", f"--namespace={NAMESPACE}")["items"]
    least = {one["spec"]["scaleTargetRef"]["name"]: int(one["spec"]["minReplicas"]) for one in scalers}
    del stack
    return {**found, **least}


def placed(kubernetes: Cluster) -> dict[str, list[str]]:
    """Program -> node of each pod that is ready."""
    found: dict[str, list[str]] = defaultdict(list)
    for pod in kubernetes.get("pods", f"--namespace={NAMESPACE}")["items"]:
        conditions = {one["type"]: one["status"] for one in pod.get("status", {}).get("conditions", [])}
        if conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
            found[pod["metadata"]["labels"][NAME]].append(pod["spec"]["nodeName"])
    return dict(found)


def all_placed(kubernetes: Cluster, expected: Mapping[str, int]) -> dict[str, list[str]]:
    def complete() -> dict[str, list[str]]:
        found = placed(kubernetes)
        return found if {name: len(nodes) for name, nodes in found.items()} == expected else {}

    return until(f"pods to be ready: {expected}", complete, seconds=SETTLE_SECONDS, pause=1)


def test_everything_is_scheduled_and_spread(
    kubernetes: Cluster, zones: Mapping[str, str], expected: Mapping[str, int]
) -> None:
    replicated = {name for name, number in expected.items() if number > 1}
    assert replicated == {"otel-gateway", "otel-processor", "kafka"}
    assert is_spread(all_placed(kubernetes, expected), zones)


def is_spread(placement: Mapping[str, list[str]], zones: Mapping[str, str]) -> bool:
    """Whether no two pods of a program share a node, and no zone has more of them than its share."""
    for nodes in placement.values():
        most = max(Counter(zones[node] for node in nodes).values())
        if len(set(nodes)) < len(nodes) or most > math.ceil(len(nodes) / ZONES):
            return False
    return True


def test_a_second_preview_is_clean(stack: Stack) -> None:
    stack.preview("--expect-no-changes")


def busiest(placement: Mapping[str, list[str]], zones: Mapping[str, str]) -> str:
    """The zone with the most pods."""
    return Counter(zones[node] for nodes in placement.values() for node in nodes).most_common(1)[0][0]


def all_elsewhere(
    kubernetes: Cluster, expected: Mapping[str, int], zones: Mapping[str, str], lost: str
) -> bool:
    """Whether every pod is ready, and none of them in a zone."""
    placement = all_placed(kubernetes, expected)
    return lost not in {zones[node] for nodes in placement.values() for node in nodes}


def test_a_zone_is_emptied_one_pod_of_each_program_at_a_time(
    kubernetes: Cluster, zones: Mapping[str, str], expected: Mapping[str, int]
) -> None:
    """Evictions go through the budgets: whoever drains the zone waits for them."""
    lost = busiest(all_placed(kubernetes, expected), zones)
    selector = f"--selector={simulation.LABEL},{ZONE}={lost}"
    drain = ["drain", selector, "--delete-emptydir-data", f"--timeout={SETTLE_SECONDS:.0f}s"]
    command: list[str | Path] = [cache.binary("kubectl"), f"--kubeconfig={kubernetes.kubeconfig}", *drain]
    try:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as going:
            while going.poll() is None:
                ready = placed(kubernetes)
                for name, number in expected.items():
                    assert len(ready.get(name, [])) >= number - 1, f"{name}: {ready.get(name)}"
            _, said = going.communicate()
        assert going.returncode == 0, said
        assert all_elsewhere(kubernetes, expected, zones, lost)
    finally:
        kubernetes.kubectl("uncordon", selector)


def test_a_zone_is_lost_at_once(
    kubernetes: Cluster, zones: Mapping[str, str], expected: Mapping[str, int], stack: Stack
) -> None:
    """The nodes are gone without a word; what they carried comes back in the other zones.

    Pods that went to another zone stay there when theirs is back: only a restart spreads them again.
    """
    kubernetes.kubectl("rollout", "restart", "deployments,statefulsets", f"--namespace={NAMESPACE}")
    until(
        "pods to be spread again",
        lambda: is_spread(all_placed(kubernetes, expected), zones),
        seconds=SETTLE_SECONDS,
        pause=2,
    )
    lost = busiest(all_placed(kubernetes, expected), zones)
    kubernetes.kubectl("delete", "node", f"--selector={simulation.LABEL},{ZONE}={lost}", "--wait=false")
    # Until the garbage collector of pods has seen it, those of the zone still count as ready.
    left = {name: [n for n in nodes if zones[n] != lost] for name, nodes in placed(kubernetes).items()}
    for name, number in expected.items():
        if number > 1:
            assert len(left[name]) >= number - math.ceil(number / ZONES), f"{name}: {left[name]}"
    until(
        "every pod in the other zones",
        lambda: all_elsewhere(kubernetes, expected, zones, lost),
        seconds=LOSS_SECONDS,
        pause=2,
    )
    stack.preview("--expect-no-changes")
