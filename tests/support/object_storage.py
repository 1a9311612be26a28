"""Object storage under mocks, and settings of it that tests begin with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
from pulumi.runtime import set_mocks
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2

from components.object_storage import ObjectStorage, ObjectStorageArgs
from components.settings import Settings
from tests.support.program import Recorder, Registered, event_loop

REGION = "eu-central-1"
AWS: dict[str, Any] = {"bucketPrefix": "acme-otel", "aws": {"region": REGION, "clusterName": "main"}}
S3: dict[str, Any] = {
    "provider": "s3",
    "bucketPrefix": "acme-otel",
    "s3": {"endpoint": "minio.storage.svc:9000", "credentialsSecret": "object-storage"},
}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0f1e2d3c"
CLUSTER = {"kubeconfig": "kubeconfig.yaml", "context": "main"}


def aws_with(**changes: Any) -> dict[str, Any]:
    """Give the settings on AWS with fields of ``aws`` changed."""
    return {**AWS, "aws": {**AWS["aws"], **changes}}


def name_of(purpose: str) -> str:
    """Give the name of a bucket."""
    return f"acme-otel-prod-{purpose}"


class Monitor(MockMonitor):
    """Remembers the options too, which mocks are not told."""

    def __init__(self, mocks: Recorder) -> None:
        super().__init__(mocks)
        self.requests: dict[str, resource_pb2.RegisterResourceRequest] = {}

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802 (the SDK's)
        self.requests[f"{request.type.rpartition(':')[2]} {request.name}"] = request
        register: Any = super().RegisterResource
        return register(request)


class StorageRun:
    """Object storage as it was registered."""

    def __init__(self, storage: dict[str, Any], *, preview: bool = False, **settings: Any) -> None:
        config = {"phase": 4, "environment": "prod", "kubernetes": CLUSTER, **settings}
        checked = Settings.load({**config, "objectStorage": storage})
        recorder = Recorder({})
        monitor = Monitor(recorder)
        args = ObjectStorageArgs(
            storage=checked.object_storage,
            environment=checked.environment,
            namespace="observability",
            retention=checked.retention,
        )
        self.made: list[ObjectStorage] = []
        harness: Callable[[Callable[[], object]], Callable[[], None]] = pulumi.runtime.test
        with event_loop():
            set_mocks(recorder, project="otel-stack", stack="test", preview=preview, monitor=monitor)
            harness(lambda: self.made.append(ObjectStorage("object-storage", args)))()
        self.requests = monitor.requests
        self.resources = recorder.resources

    def of(self, kind: str) -> dict[str, Registered]:
        """Resources of a type of AWS, by the bucket or name that they are for."""
        found = (one for one in self.resources if one.type.rpartition(":")[2] == kind)
        return {str(one.inputs.get("bucket") or one.name): one for one in found}

    def document(self, kind: str, name: str, field: str) -> list[dict[str, Any]]:
        """Statements of a policy document."""
        statements: list[dict[str, Any]] = json.loads(self.of(kind)[name].inputs[field])["Statement"]
        return statements
