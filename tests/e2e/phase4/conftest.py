"""Phase 4 on a real cluster with real pods, over MinIO: one stack for all tests of this folder."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.cluster import Cluster
from tests.support.deployment import ClusterDeployment
from tests.support.minio_pods import BUCKETS, SECRETS, MinioPods, minio_pods
from tests.support.object_site import ObjectSite
from tests.support.stack import Stack

NAMESPACE, STORAGE = "otel-e2e4", "otel-e2e4-s3"
UP_SECONDS = 900.0
"""Nineteen pods of ten programs on the same two cores."""


@dataclass(frozen=True, kw_only=True)
class Deployment(ClusterDeployment):
    """The stack under test.

    Attributes:
        minio: where its stores write.
    """

    minio: MinioPods

    @property
    def site(self) -> ObjectSite:
        """Its addresses as they are now."""
        return ObjectSite(cluster=self.cluster, namespace=NAMESPACE)


@pytest.fixture(scope="package")
def minio(kubernetes: Cluster) -> Iterator[MinioPods]:
    """MinIO with the buckets of a stack, and the Secret in the stack's namespace."""
    with minio_pods(kubernetes, STORAGE, BUCKETS.values()) as made:
        made.give_credentials(NAMESPACE)
        yield made


@pytest.fixture(scope="package")
def deployed(
    kubernetes: Cluster, minio: MinioPods, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The stack, brought up from nothing; nothing of it is left afterwards."""
    config = {
        "phase": 4,
        "sizing": {"preset": "small"},
        "kubernetes": {**kubernetes.provider, "namespace": NAMESPACE, "spread": "preferred"},
        "objectStorage": minio.settings,
    }
    folder = tmp_path_factory.mktemp("objects") / "stack"
    stack = Stack(name="objects", folder=folder, config=config, patience=UP_SECONDS)
    made = Deployment(
        stack=stack,
        cluster=kubernetes,
        original=copy.deepcopy(config),
        namespace=NAMESPACE,
        given=frozenset(f"secret/{secret}" for secret in SECRETS.values()),
        minio=minio,
    )
    try:
        made.become()
        yield made
    finally:
        made.remove(wait=False)


@pytest.fixture
def site(deployed: Deployment) -> ObjectSite:
    """Where the stack answers."""
    return deployed.site
