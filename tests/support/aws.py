"""A moto server for tests: S3, IAM, STS and EKS on loopback, with IAM's policies enforced when asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import boto3
import httpx
from botocore.config import Config
from moto.server import ThreadedMotoServer
from types_boto3_eks.client import EKSClient
from types_boto3_iam.client import IAMClient
from types_boto3_s3.client import S3Client
from types_boto3_sts.client import STSClient

from components.buckets.credentials import METADATA_DISABLED, credentials_findable
from components.buckets.names import PURPOSES

REGION: Final = "eu-central-1"
CLUSTER: Final = "main"
OBJECT_STORAGE: Final[dict[str, Any]] = {
    "provider": "aws",
    "bucketPrefix": "acme-otel",
    "aws": {"region": REGION, "clusterName": CLUSTER, "onDestroy": "delete"},
}
"""Settings of a stack whose buckets go with it."""

BUCKETS = {purpose: f"acme-otel-dev-{purpose}" for purpose in PURPOSES}
"""Purpose -> its bucket with these settings, in the environment ``dev``."""

KEYS = {"accessKey": "lab", "secretKey": "lab"}
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab"}
ENFORCE, PERMIT = "0", "inf"


@dataclass(frozen=True, kw_only=True)
class Aws:
    """A running server.

    Attributes:
        endpoint: its address.
    """

    endpoint: str

    @property
    def provider(self) -> dict[str, Any]:
        """Settings that point the aws provider to this server."""
        services = ("s3", "iam", "sts", "eks")
        return {
            **KEYS,
            "region": REGION,
            "endpoints": [dict.fromkeys(services, self.endpoint)],
            "s3UsePathStyle": True,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point any client to this server."""
        return {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.endpoint}

    def s3(self, region: str = REGION, **credentials: str) -> S3Client:
        """S3, as the administrator or with other credentials."""
        client: S3Client = _client("s3", region, self.endpoint, **credentials)
        return client

    def iam(self) -> IAMClient:
        """IAM, as the administrator."""
        client: IAMClient = _client("iam", REGION, self.endpoint)
        return client

    def eks(self) -> EKSClient:
        """EKS, as the administrator."""
        client: EKSClient = _client("eks", REGION, self.endpoint)
        return client

    def assume(self, role_arn: str) -> dict[str, str]:
        """Credentials of a role, as its pods get them; who may assume it is not checked."""
        sts: STSClient = _client("sts", REGION, self.endpoint)
        given = sts.assume_role(RoleArn=role_arn, RoleSessionName="pod")["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def make_bucket(self, name: str) -> None:
        """Make a bucket in the region of the tests."""
        self.s3().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def make_cluster(self, name: str) -> None:
        """Make an EKS cluster, as far as moto has one."""
        self.eks().create_cluster(
            name=name, roleArn="arn:aws:iam::123456789012:role/cluster", resourcesVpcConfig={}
        )

    def reset(self) -> None:
        """Forget everything."""
        httpx.post(f"{self.endpoint}/moto-api/reset", trust_env=False).raise_for_status()

    @contextmanager
    def enforcing(self) -> Iterator[None]:
        """Let IAM refuse what no policy allows; the administrator is then unknown as well."""
        self._authorize(ENFORCE)
        try:
            yield
        finally:
            self._authorize(PERMIT)

    def _authorize(self, after: str) -> None:
        address = f"{self.endpoint}/moto-api/reset-auth"
        httpx.post(address, content=after, trust_env=False).raise_for_status()


def no_credentials(home: Path) -> dict[str, str]:
    """Variables of somebody who has none, and whose home is an empty folder."""
    home.mkdir()
    nothing = {"HOME": str(home)}
    on_an_instance = credentials_findable(nothing)
    return {**nothing, METADATA_DISABLED: "true"} if on_an_instance else nothing


@contextmanager
def server_with_cluster() -> Iterator[Aws]:
    """Run a server that has the cluster of ``OBJECT_STORAGE``."""
    with server() as aws:
        aws.make_cluster(CLUSTER)
        yield aws


@contextmanager
def server() -> Iterator[Aws]:
    """Run a server on a free port."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would write a line for every request
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    aws = Aws(endpoint=f"http://{host}:{port}")
    aws.reset()  # what it holds belongs to the process, not to the server
    try:
        yield aws
    finally:
        running.stop()


@cache
def _client(service: str, region: str, endpoint: str, **credentials: str) -> Any:
    administrator = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    make: Any = boto3.Session().client
    chosen = credentials or administrator
    return make(service, region_name=region, endpoint_url=endpoint, config=config, **chosen)
