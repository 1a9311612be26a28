"""What is in the buckets of an S3 service."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from components.object_storage import store_policy

REGION = "us-east-1"
SESSION_SECONDS = 12 * 3600
_PATIENCE = Config(s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=30)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Credentials of an S3 service that the tests run themselves.

    Attributes:
        user: the access key's id.
        password: the secret access key.
        token: of a session; empty for the administrator.
    """

    user: str = field(default_factory=lambda: secrets.token_hex(8))
    password: str = field(default_factory=lambda: secrets.token_hex(16))
    token: str = ""

    @property
    def file(self) -> str:
        """The credentials as AWS's tools read them."""
        given = {
            "aws_access_key_id": self.user,
            "aws_secret_access_key": self.password,
            "aws_session_token": self.token,
        }
        return "[default]\n" + "".join(f"{name} = {value}\n" for name, value in given.items() if value)

    @property
    def variables(self) -> dict[str, str]:
        """The credentials as MinIO takes them."""
        return {"MINIO_ROOT_USER": self.user, "MINIO_ROOT_PASSWORD": self.password, "MINIO_BROWSER": "off"}


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The buckets of one service.

    Attributes:
        url: its address.
        keys: of its administrator.
        authority: file with the certificate of the service's signer; None for a public one, or none.
    """

    url: str
    keys: Keys
    authority: Path | None = None

    def store_keys(self, store: str, names: Mapping[str, str]) -> Keys:
        """Make keys that may do what a store's role may on AWS; the names of all buckets come by purpose."""
        made = self._client("sts").assume_role(
            RoleArn=f"arn:aws:iam::123456789012:role/{store}",
            RoleSessionName=store,
            Policy=store_policy(store, names, REGION),
            DurationSeconds=SESSION_SECONDS,
        )
        given = made["Credentials"]
        return Keys(user=given["AccessKeyId"], password=given["SecretAccessKey"], token=given["SessionToken"])

    def make(self, bucket: str) -> None:
        """Make a bucket, unless it is there: a busy service may have made it and answered too late."""
        client = self._client()
        with suppress(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket=bucket)

    def keys_of(self, bucket: str) -> list[str]:
        """Give the keys of all objects."""
        return list(self.sizes(bucket))

    def read(self, bucket: str, key: str) -> bytes:
        """Give an object's content."""
        content: bytes = self._client().get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def sizes(self, bucket: str) -> Mapping[str, int]:
        """Give the bytes of each object by its key."""
        pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", [])}

    def _client(self, service: str = "s3") -> Any:
        connect: Any = boto3.client  # its types want the service's name as a literal
        return connect(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.keys.user,
            aws_secret_access_key=self.keys.password,
            aws_session_token=self.keys.token or None,
            config=_PATIENCE,
            verify=None if self.authority is None else str(self.authority),
        )
