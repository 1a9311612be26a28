"""MinIO in a namespace of its own: the S3 service that a stack of phase 4 in the lab's cluster writes to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from components.buckets.names import PURPOSES, STORES
from tests.lab.cluster import kubectl
from tests.lab.image_table import LAB_IMAGES
from tests.support.cluster import Cluster
from tests.support.namespaces import await_gone, let_go
from tests.support.objects import Keys, Objects
from tests.support.waiting import until

PORT = 9000
SECRETS = {store: f"s3-{store}" for store in STORES}
"""Secret with the keys of each store, which may use its own buckets only."""
READY_SECONDS = 180.0
BUCKETS = {purpose: f"lab-dev-{purpose}" for purpose in PURPOSES}
"""As the settings of these tests name them."""

_LABELS = {"app": "minio"}


@dataclass(frozen=True, kw_only=True)
class MinioPods:
    """A running MinIO.

    Attributes:
        cluster: where it runs.
        namespace: its own.
        keys: of its administrator.
        objects: its buckets, as the node reaches them.
    """

    cluster: Cluster
    namespace: str
    keys: Keys
    objects: Objects

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of object storage that point a stack to it."""
        endpoint = f"minio.{self.namespace}.svc:{PORT}"
        service = {"endpoint": endpoint, "storeSecrets": SECRETS, "tls": False}
        return {"provider": "s3", "bucketPrefix": "lab", "s3": service}

    def give_credentials(self, namespace: str) -> None:
        """Put the Secrets that the settings name into a stack's namespace, as an operator would."""
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        if not kubectl.succeeds("get", "namespace", namespace):
            kubectl.apply(json.dumps(space))
        secrets = [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": secret, "namespace": namespace},
                "stringData": {"credentials": self.objects.store_keys(store, BUCKETS).file},
            }
            for store, secret in SECRETS.items()
        ]
        kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": secrets}))

    @contextmanager
    def away(self) -> Iterator[None]:
        """Make it unreachable until the block ends."""
        self._scale(0)
        until("MinIO to be gone", lambda: not self._answers(), seconds=READY_SECONDS)
        try:
            yield
        finally:
            self._scale(1)
            self.await_ready()

    def await_ready(self) -> None:
        """Wait until it answers."""
        until("MinIO to answer", self._answers, seconds=READY_SECONDS, pause=1)

    def _scale(self, replicas: int) -> None:
        self.cluster.kubectl(
            f"--namespace={self.namespace}", "scale", "deployment/minio", f"--replicas={replicas}"
        )

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.objects.url}/minio/health/ready", timeout=2).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def minio_pods(cluster: Cluster, namespace: str, buckets: Iterable[str]) -> Iterator[MinioPods]:
    """Run MinIO with some buckets; its namespace, with all it holds, is let go after the block."""
    keys = Keys()
    await_gone(namespace)
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": _manifests(namespace, keys)}))
    try:
        address = cluster.get("service", "minio", f"--namespace={namespace}")["spec"]["clusterIP"]
        objects = Objects(url=f"http://{address}:{PORT}", keys=keys)
        made = MinioPods(cluster=cluster, namespace=namespace, keys=keys, objects=objects)
        made.await_ready()
        for bucket in buckets:
            objects.make(bucket)
        yield made
    finally:
        let_go(namespace)


def _manifests(namespace: str, keys: Keys) -> list[Mapping[str, Any]]:
    metadata = {"name": "minio", "namespace": namespace}
    volume = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": _pod()},
    }
    ports = [{"name": "s3", "port": PORT}]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys.variables},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": volume},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": _LABELS, "ports": ports},
        },
    ]


def _pod() -> Mapping[str, Any]:
    image = next(one for one in LAB_IMAGES if one.reference.startswith("minio/"))
    container = {
        "name": "minio",
        "image": image.reference,
        "imagePullPolicy": "IfNotPresent",
        "args": ["server", f"--address=:{PORT}", "/data"],
        "envFrom": [{"secretRef": {"name": "minio"}}],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/minio/health/ready", "port": PORT}, "periodSeconds": 2},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "minio"}}
    return {"automountServiceAccountToken": False, "containers": [container], "volumes": [volume]}
