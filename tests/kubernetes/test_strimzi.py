"""Kafka by Strimzi: what ``pulumi up`` makes only once the operator has reported that Kafka is ready.

The operator is in no package registry: a thread here reports in its place, and its brokers run in name only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.simulated import brought_up, on_simulated_nodes, simulated_nodes
from tests.support.stack import Stack

pytestmark = pytest.mark.long

NAMESPACE = "otel-stack-strimzi"
NODES = 6
KINDS = ("kafkanodepools", "kafkas", "kafkatopics", "kafkausers")
READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
POLL_SECONDS = 1.0


class PlayedOperator:
    """Reports one resource after the other as ready.

    Attributes:
        beside: resource, as ``kind/name`` -> workloads that were there when it was reported.
    """

    def __init__(self, kubernetes: Cluster) -> None:
        self._kubernetes = kubernetes
        self._over = Event()
        self.beside: dict[str, set[str]] = {}

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Report until the block is over."""
        thread = Thread(target=self._report)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _report(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            waiting = [one for kind in KINDS for one in self._names(kind) if one not in self.beside]
            if waiting:
                self._say_ready(waiting[0])

    def _say_ready(self, one: str) -> None:
        self.beside[one] = {*self._names("deployments"), *self._names("statefulsets")}
        patch = ("patch", one, f"--namespace={NAMESPACE}", "--subresource=status", "--type=merge")
        self._kubernetes.kubectl(*patch, f"--patch={json.dumps(READY)}")

    def _names(self, kind: str) -> list[str]:
        found = self._kubernetes.kubectl("get", kind, f"--namespace={NAMESPACE}", "--output=name")
        return found.split()


@pytest.fixture(scope="module")
def operator(kubernetes: Cluster) -> PlayedOperator:
    return PlayedOperator(kubernetes)


@pytest.fixture(scope="module")
def stack(
    kubernetes: Cluster, operator: PlayedOperator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The stack, up."""
    config: dict[str, Any] = {
        "environment": "dev",
        "phase": 3,
        "sizing": {"preset": "small"},
        "kafka": {"mode": "strimzi"},
        "kubernetes": on_simulated_nodes(kubernetes, NAMESPACE),
    }
    made = Stack(name="dev", folder=tmp_path_factory.mktemp("strimzi") / "stack", config=config)
    with operator.reporting(), simulated_nodes(kubernetes, NODES), brought_up(kubernetes, made, NAMESPACE):
        yield made


@pytest.mark.usefixtures("stack")
def test_collectors_wait_for_kafka_its_topics_and_its_user(operator: PlayedOperator) -> None:
    awaited = {one: there for one, there in operator.beside.items() if not one.startswith("kafkanodepool")}
    assert {one.partition(".")[0] for one in awaited} == {"kafka", "kafkatopic", "kafkauser"}
    collectors = ("otel-gateway", "otel-processor")
    early = {one for one, there in awaited.items() for name in there if name.endswith(collectors)}
    assert early == set()


def test_nothing_changes_without_a_reason(stack: Stack) -> None:
    stack.preview("--expect-no-changes")


def test_destroy_leaves_kafka(stack: Stack, kubernetes: Cluster) -> None:
    """The operator keeps the brokers running: their resources are not deleted with the stack."""
    stack.destroy()
    left = kubernetes.kubectl("get", ",".join(KINDS), f"--namespace={NAMESPACE}", "--output=name").split()
    assert {one.partition(".")[0] for one in left} == {"kafka", "kafkanodepool", "kafkatopic", "kafkauser"}
