"""The buckets of phase 4, and what a store needs to use its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.buckets.aws import AwsBuckets, BucketPlan, RolePlan
from components.buckets.names import ASSOCIATED_ROLE, PURPOSES, STORES, bucket_names, credentials_secrets
from components.buckets.policies import (
    APPEND,
    READ_WRITE,
    bucket_access,
    bucket_arn,
    irsa_trust,
    pod_identity_trust,
    service_host,
    tls_only,
)
from components.buckets.tiering import is_tiered
from components.sections.stack import RetentionSection
from components.sections.storage import AwsStorage, ObjectStorageSection, S3Storage

ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket as seen by the store that uses it.

    Attributes:
        name: the bucket.
        endpoint: ``host`` or ``host:port`` of the service.
        region: region of the bucket.
        path_style: the name goes into the path, not into the host name.
        tls: the service is reached over TLS, and its certificate verified.
        arn: its ARN on AWS; none elsewhere.
        credentials_secret: Secret with ``credentials``, a file in the format of AWS's tools; none on AWS.
        ca_secret: Secret with ``ca.crt``; none where public CAs sign.
    """

    name: pulumi.Input[str]
    endpoint: str
    region: str
    path_style: bool
    tls: bool = True
    arn: pulumi.Input[str] | None = None
    credentials_secret: str | None = None
    ca_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class ObjectStorageArgs:
    """What the buckets depend on.

    Attributes:
        storage: checked settings of object storage.
        environment: name of the environment, used in names and tags.
        namespace: Kubernetes namespace of the stores.
        retention: how long each signal is kept; the stores delete, and nothing is tiered shortly before that.
        service_accounts: Kubernetes service accounts of each store; by default one with the store's name.
    """

    storage: ObjectStorageSection
    environment: str
    namespace: str
    retention: RetentionSection = field(default_factory=RetentionSection)
    service_accounts: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {store: (store,) for store in STORES}
    )


class ObjectStorage(pulumi.ComponentResource):
    """One bucket per store and purpose; each store can use its own and no others.

    Attributes:
        buckets: by purpose: traces, metrics, ruler, alertmanager, logs, backups.
        made: by purpose: the buckets themselves; empty unless on AWS.
        role_arns: by store: tempo, mimir, loki, backups; empty unless on AWS.
        ready: resources that exist only once a store may use its buckets.
    """

    def __init__(
        self, name: str, args: ObjectStorageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Create the buckets on AWS, or describe existing ones."""
        super().__init__("otel-stack:index:ObjectStorage", name, None, opts)
        self.buckets: Mapping[str, Bucket] = {}
        self.made: Mapping[str, pulumi.Resource] = {}
        self.role_arns: Mapping[str, pulumi.Output[str]] = {}
        self.ready: list[pulumi.Resource] = []
        self._annotated = args.storage.provider == "aws" and args.storage.aws.access == "irsa"
        if args.storage.provider == "aws":
            self._make(name, args)
        else:
            self.buckets = _existing(args.storage.s3, bucket_names(args.storage, args.environment))
        self.register_outputs(
            {
                "buckets": {purpose: bucket.name for purpose, bucket in self.buckets.items()},
                "roleArns": dict(self.role_arns),
            }
        )

    def annotations(self, store: str) -> dict[str, pulumi.Input[str]]:
        """Return the annotations of a store's service account that name its role, or grant it."""
        if store not in self.role_arns:
            return {}
        return {ROLE_ANNOTATION if self._annotated else ASSOCIATED_ROLE: self.role_arns[store]}

    def _make(self, name: str, args: ObjectStorageArgs) -> None:
        aws = args.storage.aws
        region = _given(aws.region)
        made = AwsBuckets(name, aws, region, parent=self)
        tags = tagged({"Project": "otel-stack", "Environment": args.environment}, aws.tags)
        buckets = {plan.purpose: made.bucket(plan) for plan in _bucket_plans(args, region, tags)}
        self.role_arns = {plan.store: made.role(plan) for plan in _role_plans(args, region, tags)}
        self.buckets = {
            purpose: Bucket(
                name=bucket.bucket,
                endpoint=service_host(region),
                region=region,
                path_style=False,
                arn=bucket.arn,
            )
            for purpose, bucket in buckets.items()
        }
        self.made = buckets
        self.ready = made.made


def _existing(service: S3Storage, names: Mapping[str, str]) -> dict[str, Bucket]:
    secrets = credentials_secrets(service)
    return {
        purpose: Bucket(
            name=names[purpose],
            endpoint=_given(service.endpoint),
            region=service.region,
            path_style=service.path_style,
            tls=service.tls,
            credentials_secret=secrets.get(store),
            ca_secret=service.ca_secret,
        )
        for store, purposes in STORES.items()
        for purpose in purposes
    }


def tagged(own: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Add tags to those that are given. IAM refuses keys that differ in case alone: the given ones stay."""
    taken = {key.casefold() for key in given}
    return {**{key: value for key, value in own.items() if key.casefold() not in taken}, **given}


def _bucket_plans(args: ObjectStorageArgs, region: str, tags: Mapping[str, str]) -> list[BucketPlan]:
    names = bucket_names(args.storage, args.environment)
    return [
        BucketPlan(
            purpose=purpose,
            name=names[purpose],
            policy=tls_only(bucket_arn(names[purpose], region)),
            versioned=purpose in ("ruler", "alertmanager", "backups"),
            infrequent_after_days=_tiering(purpose, args),
            expire_after_days=args.storage.aws.backups_kept.days if purpose == "backups" else None,
            tags=tagged({"Purpose": purpose}, tags),
        )
        for purpose in PURPOSES
    ]


def _tiering(purpose: str, args: ObjectStorageArgs) -> int | None:
    """Return the days after which objects are tiered; None where the store deletes them soon after."""
    after = args.storage.aws.infrequent_access_after
    kept = getattr(args.retention, purpose) if purpose in ("traces", "metrics", "logs") else None
    return after.days if kept is not None and is_tiered(after, kept) else None


def _role_plans(args: ObjectStorageArgs, region: str, tags: Mapping[str, str]) -> list[RolePlan]:
    aws, names = args.storage.aws, bucket_names(args.storage, args.environment)
    return [
        RolePlan(
            store=store,
            namespace=args.namespace,
            service_accounts=args.service_accounts[store],
            trust=_trust(aws, args.namespace, args.service_accounts[store]),
            policy=store_policy(store, names, region, aws.kms_key_arn),
            tags=tagged({"Store": store}, tags),
        )
        for store in STORES
    ]


def store_policy(store: str, names: Mapping[str, str], region: str, kms_key_arn: str | None = None) -> str:
    """Return what a store may do: work with the objects in its own buckets, whose names come by purpose."""
    arns = [bucket_arn(names[purpose], region) for purpose in STORES[store]]
    return bucket_access(arns, APPEND if store == "backups" else READ_WRITE, kms_key_arn)


def _trust(aws: AwsStorage, namespace: str, service_accounts: tuple[str, ...]) -> str:
    if aws.access == "irsa":
        return irsa_trust(_given(aws.oidc_provider_arn), namespace, service_accounts)
    return pod_identity_trust(_given(aws.cluster_name), namespace, service_accounts)


def _given(value: str | None) -> str:
    """Take a setting for which the checks have seen to it that it is there."""
    if value is None:
        raise ValueError("the settings of object storage have not been checked")
    return value
