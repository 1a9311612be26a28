"""Phase 3 on a real cluster with real pods: one stack for all tests of this folder."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.kubernetes_site import ClusterSite
from tests.support.numbered import Load, Rates
from tests.support.stack import Stack

NAMESPACE = "otel-e2e"
CLAIM = "persistentvolumeclaim/"
PASSING = {"events", "pods", "endpoints", "endpointslices", "replicasets", "controllerrevisions"}
"""Kinds of objects that go with others a moment later, or by themselves."""
KUBERNETES_OWN = {"configmap/kube-root-ca.crt", "serviceaccount/default"}


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The stack under test, and the cluster it is in.

    Attributes:
        stack: the stack.
        cluster: the cluster.
        original: the settings that it began with.
    """

    stack: Stack
    cluster: Cluster
    original: Mapping[str, Any]

    @property
    def site(self) -> ClusterSite:
        """Its addresses as they are now."""
        return ClusterSite(cluster=self.cluster, namespace=NAMESPACE)

    def settings(self, **sections: Mapping[str, Any]) -> dict[str, Any]:
        """Give the original settings with keys of some sections changed."""
        given: dict[str, Any] = copy.deepcopy(dict(self.original))
        for name, section in sections.items():
            given[name] = {**given.get(name, {}), **section}
        return given

    def become(self, **sections: Mapping[str, Any]) -> None:
        """Bring the stack up with the original settings but for keys of some sections.

        Another Kafka is another stack: the number of brokers is for good.
        """
        wanted = self.settings(**sections)
        if wanted.get("kafka") != self.stack.config.get("kafka"):
            self.remove()
        self.stack.config = wanted
        self.stack.up()

    def left(self) -> list[str]:
        """Name what the stack has in the cluster, but for what Kubernetes itself keeps in a namespace."""
        kinds = self.cluster.kubectl("api-resources", "--verbs=list,delete", "--namespaced", "--output=name")
        wanted = ",".join(kind for kind in kinds.split() if kind.partition(".")[0] not in PASSING)
        found = self.cluster.kubectl("get", wanted, f"--namespace={NAMESPACE}", "--output=name").split()
        wide = self.cluster.kubectl("get", "clusterroles,clusterrolebindings", "--output=name").split()
        return sorted({*found, *(one for one in wide if NAMESPACE in one)} - KUBERNETES_OWN)

    def remove(self) -> None:
        """Remove the stack, and then with its namespace the claims, which must be all that it left there."""
        self.stack.destroy()
        others = [one for one in self.left() if not one.startswith(CLAIM)]
        assert not others, f"destroy left {', '.join(others)}"
        self.cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=180s")


@pytest.fixture(scope="package")
def deployed(kubernetes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The stack, up from nothing; nothing of it is left afterwards."""
    config = {
        "phase": 3,
        "sizing": {"preset": "small"},
        "kubernetes": {**kubernetes.provider, "namespace": NAMESPACE, "spread": "preferred"},
    }
    stack = Stack(name="cluster", folder=tmp_path_factory.mktemp("cluster") / "stack", config=config)
    made = Deployment(stack=stack, cluster=kubernetes, original=copy.deepcopy(config))
    try:
        made.become()
        yield made
    finally:
        made.remove()


@pytest.fixture
def site(deployed: Deployment) -> ClusterSite:
    """Where the stack answers."""
    return deployed.site


@pytest.fixture
def load(site: ClusterSite) -> Load:
    """Load that has not begun yet."""
    return Load(run=uuid.uuid4().hex[:8], target=site.target, rates=Rates())
