"""The large preset on a hundred simulated nodes in three zones: schedules, spreads, survives a zone's end."""

from __future__ import annotations

import math
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.lab import cache
from tests.lab.cluster import simulation
from tests.support.cluster import Cluster
from tests.support.simulated import (
    SETTLE_SECONDS,
    ZONE,
    ZONES,
    all_placed,
    brought_up,
    expected_pods,
    on_simulated_nodes,
    placed,
    simulated_nodes,
)
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = pytest.mark.long

NODES = 100
NAMESPACE = "otel-stack-scale"
LOSS_SECONDS = 180.0
"""Pods of nodes that are gone are deleted after a minute or so."""


@pytest.fixture(scope="module", params=["required", "zones"])
def spread(request: pytest.FixtureRequest) -> str:
    """The setting ``kubernetes.spread``: pods of one program apart on nodes, or evenly over the zones too."""
    return str(request.param)


@pytest.fixture(scope="module")
def zones(kubernetes: Cluster, spread: str) -> Iterator[Mapping[str, str]]:
    """The simulated nodes, each with its zone; new ones for each stack, since a test takes some away."""
    del spread
    with simulated_nodes(kubernetes, NODES) as made:
        yield made


@pytest.fixture(scope="module")
def stack(
    kubernetes: Cluster, zones: Mapping[str, str], spread: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    del zones
    config = {
        "phase": 3,
        "sizing": {"preset": "large"},
        "kubernetes": {**on_simulated_nodes(kubernetes, NAMESPACE), "spread": spread},
    }
    made = Stack(name="scale", folder=tmp_path_factory.mktemp("scale") / "stack", config=config)
    with brought_up(kubernetes, made, NAMESPACE):
        yield made


@pytest.fixture(scope="module")
def expected(stack: Stack, kubernetes: Cluster) -> Mapping[str, int]:
    """How many pods each program is to have, once its autoscaler has set their number."""
    del stack
    return expected_pods(kubernetes, NAMESPACE)


def test_everything_is_scheduled_and_spread(
    kubernetes: Cluster, zones: Mapping[str, str], expected: Mapping[str, int]
) -> None:
    replicated = {name for name, number in expected.items() if number > 1}
    assert replicated == {"otel-gateway", "otel-processor", "kafka"}
    assert is_spread(all_placed(kubernetes, NAMESPACE, expected), zones)


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
    placement = all_placed(kubernetes, NAMESPACE, expected)
    return lost not in {zones[node] for nodes in placement.values() for node in nodes}


def test_a_zone_is_emptied_one_pod_of_each_program_at_a_time(
    kubernetes: Cluster, zones: Mapping[str, str], expected: Mapping[str, int]
) -> None:
    """Evictions go through the budgets: whoever drains the zone waits for them."""
    lost = busiest(all_placed(kubernetes, NAMESPACE, expected), zones)
    selector = f"--selector={simulation.LABEL},{ZONE}={lost}"
    drain = ["drain", selector, "--delete-emptydir-data", f"--timeout={SETTLE_SECONDS:.0f}s"]
    command: list[str | Path] = [cache.binary("kubectl"), f"--kubeconfig={kubernetes.kubeconfig}", *drain]
    try:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as going:
            while going.poll() is None:
                ready = placed(kubernetes, NAMESPACE)
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
        lambda: is_spread(all_placed(kubernetes, NAMESPACE, expected), zones),
        seconds=SETTLE_SECONDS,
        pause=2,
    )
    lost = busiest(all_placed(kubernetes, NAMESPACE, expected), zones)
    kubernetes.kubectl("delete", "node", f"--selector={simulation.LABEL},{ZONE}={lost}", "--wait=false")
    # Until the garbage collector of pods has seen it, those of the zone still count as ready.
    left = {
        name: [n for n in nodes if zones[n] != lost] for name, nodes in placed(kubernetes, NAMESPACE).items()
    }
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
