"""The settings of a bucket that are resources of their own: versioning, encryption, lifecycle, access."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws
from botocore.exceptions import ClientError
from types_boto3_s3.client import S3Client

from tests.lab.providers.aws.bucket import GONE
from tests.lab.providers.aws.connection import Connection, is_one_of, unless
from tests.lab.providers.aws.names import document_text, from_call, to_call
from tests.lab.providers.aws.resource import AwsResource
from tests.lab.providers.schema import resource_schema


class BucketPart(AwsResource):
    """A setting of one bucket: put as a whole, read back, removed. Its id is the bucket's name.

    Args:
        connection: clients of the services.
        resource: the SDK's class.
        args: the SDK's class of its arguments.
        absent: codes by which S3 says that the bucket has no such setting.
    """

    def __init__(
        self,
        connection: Connection,
        resource: type[pulumi.Resource],
        args: type,
        *,
        absent: tuple[str, ...] = (),
        defaults: Mapping[str, Any] | None = None,
        ordered: frozenset[str] = frozenset(),
        documents: frozenset[str] = frozenset(),
        not_modelled: frozenset[str] = frozenset(),
    ) -> None:
        name = resource.__name__
        super().__init__(
            connection,
            f"aws:s3/{name[0].lower()}{name[1:]}:{name}",
            resource_schema(resource, args),
            force_new=frozenset({"bucket", "expectedBucketOwner"}),
            defaults=defaults,
            ordered=ordered,
            documents=documents,
            not_modelled=not_modelled | {"expectedBucketOwner"},
        )
        self._absent = (*absent, *GONE)

    def make(self, inputs: dict[str, Any]) -> str:
        self.put(self.connection.s3(inputs["region"]), inputs["bucket"], inputs)
        return str(inputs["bucket"])

    def find(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        try:
            found = self.get(self.connection.s3(known["region"]), resource_id)
        except ClientError as error:
            if is_one_of(error, self._absent):
                return None
            raise
        return {"bucket": resource_id, **found}

    def change(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> None:
        del state
        self.put(self.connection.s3(news["region"]), resource_id, news)

    def remove(self, resource_id: str, state: dict[str, Any]) -> None:
        with unless(*self._absent):
            self.drop(self.connection.s3(state["region"]), resource_id)

    @abstractmethod
    def put(self, client: S3Client, bucket: str, inputs: dict[str, Any]) -> None:
        """Set it."""

    @abstractmethod
    def get(self, client: S3Client, bucket: str) -> dict[str, Any]:
        """What the bucket has."""

    @abstractmethod
    def drop(self, client: S3Client, bucket: str) -> None:
        """Remove it."""


class Versioning(BucketPart):
    """Versioning; once it has been on, it can only be suspended."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            pulumi_aws.s3.BucketVersioning,
            pulumi_aws.s3.BucketVersioningInitArgs,
            not_modelled=frozenset({"mfa"}),
        )

    def put(self, client: S3Client, bucket: str, inputs: dict[str, Any]) -> None:
        wanted = to_call(inputs["versioningConfiguration"])
        if wanted["Status"] != "Disabled":
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=wanted)

    def get(self, client: S3Client, bucket: str) -> dict[str, Any]:
        status = client.get_bucket_versioning(Bucket=bucket).get("Status", "Disabled")
        return {"versioningConfiguration": {"status": status}}

    def drop(self, client: S3Client, bucket: str) -> None:
        if client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


class Encryption(BucketPart):
    """Encryption of objects that come without one of their own."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            pulumi_aws.s3.BucketServerSideEncryptionConfiguration,
            pulumi_aws.s3.BucketServerSideEncryptionConfigurationInitArgs,
            absent=("ServerSideEncryptionConfigurationNotFoundError",),
        )

    def put(self, client: S3Client, bucket: str, inputs: dict[str, Any]) -> None:
        client.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": to_call(inputs["rules"])}
        )

    def get(self, client: S3Client, bucket: str) -> dict[str, Any]:
        found = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        return {"rules": from_call(found["Rules"])}

    def drop(self, client: S3Client, bucket: str) -> None:
        client.delete_bucket_encryption(Bucket=bucket)


class Lifecycle(BucketPart):
    """Lifecycle rules, all of a bucket's."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            pulumi_aws.s3.BucketLifecycleConfiguration,
            pulumi_aws.s3.BucketLifecycleConfigurationArgs,
            absent=("NoSuchLifecycleConfiguration",),
            ordered=frozenset({"rules"}),
            not_modelled=frozenset({"timeouts", "transitionDefaultMinimumObjectSize"}),
        )

    def put(self, client: S3Client, bucket: str, inputs: dict[str, Any]) -> None:
        rules = [{"filter": {"prefix": ""}, **rule} for rule in inputs["rules"]]
        client.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": to_call(rules)}
        )

    def get(self, client: S3Client, bucket: str) -> dict[str, Any]:
        rules: list[dict[str, Any]] = from_call(
            client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        )
        return {"rules": rules, "transitionDefaultMinimumObjectSize": "all_storage_classes_128K"}

    def drop(self, client: S3Client, bucket: str) -> None:
        client.delete_bucket_lifecycle(Bucket=bucket)


class Policy(BucketPart):
    """The bucket's own policy."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            pulumi_aws.s3.BucketPolicy,
            pulumi_aws.s3.BucketPolicyArgs,
            absent=("NoSuchBucketPolicy",),
            documents=frozenset({"policy"}),
        )

    def put(self, client: S3Client, bucket: str, inputs: dict[str, Any]) -> None:
        client.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"])

    def get(self, client: S3Client, bucket: str) -> dict[str, Any]:
        return {"policy": document_text(client.get_bucket_policy(Bucket=bucket)["Policy"])}

    def drop(self, client: S3Client, bucket: str) -> None:
        client.delete_bucket_policy(Bucket=bucket)


class PublicAccessBlock(BucketPart):
    """The four switches against public access; each is off when it is not given."""

    SWITCHES = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            pulumi_aws.s3.BucketPublicAccessBlock,
            pulumi_aws.s3.BucketPublicAccessBlockArgs,
            absent=("NoSuchPublicAccessBlockConfiguration",),
            defaults=dict.fromkeys(self.SWITCHES, False),
            not_modelled=frozenset({"skipDestroy"}),
        )

    def put(self, client: S3Client, bucket: str, inputs: dict[str, Any]) -> None:
        wanted = {name: inputs.get(name, False) for name in self.SWITCHES}
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=to_call(wanted))

    def get(self, client: S3Client, bucket: str) -> dict[str, Any]:
        found = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        switches: dict[str, Any] = from_call(found)
        return switches

    def drop(self, client: S3Client, bucket: str) -> None:
        client.delete_public_access_block(Bucket=bucket)


class OwnershipControls(BucketPart):
    """Who owns objects that others put."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            pulumi_aws.s3.BucketOwnershipControls,
            pulumi_aws.s3.BucketOwnershipControlsArgs,
            absent=("OwnershipControlsNotFoundError",),
        )

    def put(self, client: S3Client, bucket: str, inputs: dict[str, Any]) -> None:
        client.put_bucket_ownership_controls(
            Bucket=bucket, OwnershipControls={"Rules": [to_call(inputs["rule"])]}
        )

    def get(self, client: S3Client, bucket: str) -> dict[str, Any]:
        (rule,) = client.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        return {"rule": from_call(rule)}

    def drop(self, client: S3Client, bucket: str) -> None:
        client.delete_bucket_ownership_controls(Bucket=bucket)
