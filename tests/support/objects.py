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

REGION = "us-east-1"
_PATIENCE = Config(s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=30)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Credentials of an S3 service that the tests run themselves."""

    user: str = field(default_factory=lambda: secrets.token_hex(8))
    password: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def file(self) -> str:
        """The credentials as AWS's tools read them."""
        return f"[default]\naws_access_key_id = {self.user}\naws_secret_access_key = {self.password}\n"

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

    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.keys.user,
            aws_secret_access_key=self.keys.password,
            config=_PATIENCE,
            verify=None if self.authority is None else str(self.authority),
        )
