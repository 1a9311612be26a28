"""Phase 3 on a real cluster with real pods: one stack for all tests of this folder."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from tests.lab.cluster import keda, lifecycle
from tests.lab.errors import LabError
from tests.support.cluster import Cluster
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import ClusterSite
from tests.support.lab import missing
from tests.support.stack import Stack

NAMESPACE = "otel-e2e"
DATASOURCES = ("jaeger", "prometheus", "loki")
SEEN_SECONDS = 120.0
"""Every program that is scraped is scraped within 15 s; the rest is for a busy machine."""


@pytest.fixture(scope="package")
def deployed(kubernetes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterDeployment]:
    """The stack, brought up from nothing; nothing of it is left afterwards."""
    config = {
        "phase": 3,
        "sizing": {"preset": "small"},
        "kubernetes": {**kubernetes.provider, "namespace": NAMESPACE, "spread": "preferred"},
    }
    stack = Stack(name="cluster", folder=tmp_path_factory.mktemp("cluster") / "stack", config=config)
    original = copy.deepcopy(config)
    made = ClusterDeployment(stack=stack, cluster=kubernetes, original=original, namespace=NAMESPACE)
    try:
        made.become()
        yield made
    finally:
        made.remove(wait=False)


@pytest.fixture(scope="module")
def scaler(kubernetes: Cluster) -> Iterator[None]:  # noqa: ARG001
    """KEDA; what it scales must be gone before it."""
    try:
        with lifecycle.lock():
            keda.up()
    except LabError as error:
        missing(str(error))
    yield
    keda.down()


@pytest.fixture
def site(deployed: ClusterDeployment) -> ClusterSite:
    """Where the stack answers: the original one, whichever test ran before."""
    if deployed.is_another():
        deployed.become()
    return deployed.site
