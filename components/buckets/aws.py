"""Buckets and roles on AWS; the only module that imports ``pulumi_aws``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.buckets.credentials import credentials_findable
from components.sections.storage import AwsStorage

ABORT_AFTER_DAYS = 7
"""Days after which the parts of an unfinished upload are deleted."""

NONCURRENT_DAYS = 30
"""Days for which a deleted or overwritten object can be recovered."""

NO_KEY = "none"
"""In place of a key: without any the plugin does not start, and a preview sends it to nobody."""

PREVIEWED_WITHOUT = (
    "no AWS credentials found: this preview does not ask AWS and cannot see what others have changed there; "
    "on a stack that is up, the AWS provider itself is shown as changed"
)


@dataclass(frozen=True, kw_only=True)
class BucketPlan:
    """A bucket to create.

    Attributes:
        purpose: what is in it.
        name: name of the bucket.
        policy: its policy document.
        versioned: keep what is deleted or overwritten for 30 days. Not for the stores' own blocks: they never
            overwrite one, and what they delete at the end of its retention has to go.
        infrequent_after_days: age at which objects move to infrequent access.
        expire_after_days: age at which objects are deleted; None where a store does that itself.
        tags: tags of the bucket.
    """

    purpose: str
    name: str
    policy: str
    versioned: bool
    infrequent_after_days: int | None
    expire_after_days: int | None
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RolePlan:
    """A store's role to create.

    Attributes:
        store: who gets it.
        namespace: Kubernetes namespace of its service accounts.
        service_accounts: whose pods get it.
        trust: trust policy document: who may assume it.
        policy: policy document: what it may do.
        tags: tags of the role.
    """

    store: str
    namespace: str
    service_accounts: tuple[str, ...]
    trust: str
    policy: str
    tags: Mapping[str, str]


class AwsBuckets:
    """Creates buckets and roles in one region.

    Attributes:
        made: resources that exist only once a store may use its buckets.
    """

    def __init__(self, name: str, settings: AwsStorage, region: str, parent: pulumi.Resource) -> None:
        """Prefix the resources' names with ``name``, and make them children of ``parent``."""
        without = pulumi.runtime.is_dry_run() and not credentials_findable(os.environ)
        if without:
            pulumi.log.warn(PREVIEWED_WITHOUT)
        unchecked = without or not settings.check_credentials
        provider = aws.Provider(
            f"{name}-aws",
            region=region,
            access_key=NO_KEY if without else None,
            secret_key=NO_KEY if without else None,
            skip_credentials_validation=unchecked,
            skip_requesting_account_id=unchecked,
            skip_metadata_api_check=unchecked,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        self._name = name
        self._settings = settings
        self._region = region
        self._options = pulumi.ResourceOptions(parent=parent, provider=provider)
        keep = settings.on_destroy == "keep"
        self._kept = pulumi.ResourceOptions.merge(
            self._options, pulumi.ResourceOptions(protect=keep, retain_on_delete=keep)
        )
        self.made: list[pulumi.Resource] = []

    def bucket(self, plan: BucketPlan) -> aws.s3.Bucket:
        """Create a bucket with everything that protects it; on destroy they stay or go together."""
        name = f"{self._name}-{plan.purpose}"
        bucket = aws.s3.Bucket(
            name,
            bucket=plan.name,
            region=self._region,
            force_destroy=self._settings.on_destroy == "delete",
            tags=plan.tags,
            opts=self._kept,
        )
        closed = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.bucket,
            region=self._region,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._kept,
        )
        # One after the other: S3 refuses a policy while it applies the public access block.
        policy = aws.s3.BucketPolicy(
            f"{name}-tls",
            bucket=bucket.bucket,
            region=self._region,
            policy=plan.policy,
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[closed])),
        )
        owned = aws.s3.BucketOwnershipControls(
            f"{name}-owner",
            bucket=bucket.bucket,
            region=self._region,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[policy])),
        )
        self.made += [policy, owned, self._encryption(name, bucket)]
        versioning = self._versioning(name, bucket) if plan.versioned else bucket
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.bucket,
            region=self._region,
            rules=_lifecycle(plan),
            opts=pulumi.ResourceOptions.merge(self._kept, pulumi.ResourceOptions(depends_on=[versioning])),
        )
        return bucket

    def role(self, plan: RolePlan) -> pulumi.Output[str]:
        """Create a store's role with its one policy, give it to its service accounts, and return its ARN."""
        name = f"{self._name}-{plan.store}"
        role = aws.iam.Role(
            name,
            description=f"otel-stack: the buckets of {plan.store}",
            assume_role_policy=plan.trust,
            tags=plan.tags,
            opts=self._options,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-buckets", name="buckets", role=role.name, policy=plan.policy, opts=self._options
        )
        self.made.append(policy)
        if self._settings.access == "podIdentity":
            self.made += [self._associate(account, role, plan) for account in plan.service_accounts]
        arn: pulumi.Output[str] = role.arn
        return arn

    def _associate(self, account: str, role: aws.iam.Role, plan: RolePlan) -> pulumi.Resource:
        made: pulumi.Resource = aws.eks.PodIdentityAssociation(
            f"{self._name}-{account}-pods",
            cluster_name=self._settings.cluster_name or "",
            namespace=plan.namespace,
            service_account=account,
            role_arn=role.arn,
            region=self._region,
            tags=plan.tags,
            opts=self._options,
        )
        return made

    def _encryption(self, name: str, bucket: aws.s3.Bucket) -> pulumi.Resource:
        key = self._settings.kms_key_arn
        default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms" if key else "AES256", kms_master_key_id=key
        )
        rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=default, bucket_key_enabled=True if key else None
        )
        made: pulumi.Resource = aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            region=self._region,
            rules=[rule],
            opts=self._kept,
        )
        return made

    def _versioning(self, name: str, bucket: aws.s3.Bucket) -> pulumi.Resource:
        made: pulumi.Resource = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.bucket,
            region=self._region,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._kept,
        )
        return made


def _lifecycle(plan: BucketPlan) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    """Return the rules for what S3 cleans up itself: what nobody can see, and what the plan says."""
    rule = aws.s3.BucketLifecycleConfigurationRuleArgs
    everything = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
    rules = [
        rule(
            id="leftovers",
            status="Enabled",
            filter=everything,
            abort_incomplete_multipart_upload=(
                aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=ABORT_AFTER_DAYS
                )
            ),
            noncurrent_version_expiration=(
                aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=NONCURRENT_DAYS
                )
            ),
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                expired_object_delete_marker=True
            ),
        )
    ]
    if plan.infrequent_after_days is not None:
        transition = aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
            days=plan.infrequent_after_days, storage_class="STANDARD_IA"
        )
        rules.append(rule(id="cheaper", status="Enabled", filter=everything, transitions=[transition]))
    if plan.expire_after_days is not None:
        expiration = aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=plan.expire_after_days)
        rules.append(rule(id="age", status="Enabled", filter=everything, expiration=expiration))
    return rules
