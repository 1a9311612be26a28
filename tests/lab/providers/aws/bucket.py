"""``aws.s3.Bucket`` of the plugin's version 7: the bucket alone, its settings are resources of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pulumi_aws
from botocore.exceptions import ClientError
from types_boto3_s3.client import S3Client

from tests.lab.providers import wire
from tests.lab.providers.aws.connection import Connection, is_one_of, unless
from tests.lab.providers.aws.names import tag_list, tag_map
from tests.lab.providers.aws.resource import AwsResource
from tests.lab.providers.resource import DEFAULTS_KEY, Diff
from tests.lab.providers.schema import resource_schema

FIRST_REGION = "us-east-1"
"""The one region that a creation must not name."""

GONE = ("404", "NoSuchBucket")
MODELLED = frozenset({"bucket", "forceDestroy", "region", "tags"})


class Bucket(AwsResource):
    """A bucket. One that holds objects is deleted only with ``forceDestroy``."""

    def __init__(self, connection: Connection) -> None:
        schema = resource_schema(pulumi_aws.s3.Bucket, pulumi_aws.s3.BucketArgs)
        super().__init__(
            connection,
            "aws:s3/bucket:Bucket",
            schema,
            force_new=frozenset({"bucket", "bucketPrefix", "bucketNamespace", "objectLockEnabled"}),
            defaults={"forceDestroy": False},
            not_modelled=frozenset(schema.inputs.properties) - MODELLED,
        )

    def checked(
        self, inputs: dict[str, Any], olds: Mapping[str, Any], name: str, seed: bytes
    ) -> dict[str, Any]:
        if "bucket" in inputs:
            return inputs
        chosen = olds.get("bucket") if "bucket" in olds.get(DEFAULTS_KEY, []) else None
        suffix = hashlib.sha256(seed + name.encode()).hexdigest()[:7]
        return {**inputs, "bucket": chosen or f"{name}-{suffix}", DEFAULTS_KEY: ["bucket"]}

    def diff(self, state: Mapping[str, Any], news: Mapping[str, Any]) -> Diff:
        found = super().diff(state, news)
        replaces = any(change.replaces for change in found.changes)
        named = "bucket" not in news.get(DEFAULTS_KEY, [])
        same = named and news.get("bucket") in (state.get("bucket"), wire.UNKNOWN)
        return Diff(changes=found.changes, delete_before_replace=replaces and same)

    def make(self, inputs: dict[str, Any]) -> str:
        client, name, region = self.connection.s3(inputs["region"]), inputs["bucket"], inputs["region"]
        if region == FIRST_REGION:
            client.create_bucket(Bucket=name)
        else:
            client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        _tag(client, name, inputs.get("tags", {}))
        return str(name)

    def find(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        client, region = self.connection.s3(known["region"]), known["region"]
        try:
            client.head_bucket(Bucket=resource_id)
        except ClientError as error:
            if is_one_of(error, GONE):
                return None
            raise
        tags = _tags(client, resource_id)
        return {
            "bucket": resource_id,
            "arn": f"arn:{client.meta.partition}:s3:::{resource_id}",
            "bucketDomainName": f"{resource_id}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{resource_id}.s3.{region}.amazonaws.com",
            "bucketRegion": region,
            "tags": tags,
            "tagsAll": tags,
        }

    def change(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> None:
        del state
        _tag(self.connection.s3(news["region"]), resource_id, news.get("tags", {}))

    def remove(self, resource_id: str, state: dict[str, Any]) -> None:
        client = self.connection.s3(state["region"])
        with unless(*GONE):
            if state.get("forceDestroy"):
                _empty(client, resource_id)
            client.delete_bucket(Bucket=resource_id)


def _tags(client: S3Client, name: str) -> dict[str, str]:
    try:
        return tag_map(list(client.get_bucket_tagging(Bucket=name)["TagSet"]))
    except ClientError as error:
        if is_one_of(error, ("NoSuchTagSet",)):
            return {}
        raise


def _tag(client: S3Client, name: str, tags: Mapping[str, str]) -> None:
    if tags:
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
    else:
        client.delete_bucket_tagging(Bucket=name)


def _empty(client: S3Client, name: str) -> None:
    if client.get_bucket_versioning(Bucket=name).get("Status") == "Suspended":
        # moto fails on a delete marker unless versioning is on
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            client.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
