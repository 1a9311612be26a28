"""What must hold between the settings of object storage."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.buckets.names import PURPOSES, STORES, bucket_names, credentials_secrets
from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.sections.storage import INSIDE, AwsStorage, ObjectStorageSection, S3Storage
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem
from components.values.quantities import days

LONGEST_NAME = 63
"""Most letters in a bucket's name."""


LEAST_TIERING_DAYS = 30
"""S3 moves nothing to infrequent access earlier, and bills it there for at least as many days."""

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"

_OF_AN_ACCOUNT = "-an"

PRODUCTION = re.compile(r"prod|(^|-)(prd|live)(?![a-z])")
"""Names of environments whose buckets are never deleted: eu-prod, preprod, live-2, but not delivery."""


def _storage_is_whole(settings: SettingsModel) -> Iterator[Problem]:
    """Report everything that keeps these settings from serving as phase 4's object storage."""
    if settings.phase < ON_OBJECT_STORAGE and not settings.buckets_wait:
        return
    storage, environment = settings.object_storage, settings.environment
    yield from _names(storage, environment)
    if storage.provider == "aws":
        yield from _aws(storage.aws, environment)
    else:
        yield from _s3(storage.s3, backs_up=settings.postgres.mode == "builtin")


def _names(storage: ObjectStorageSection, environment: str) -> Iterator[Problem]:
    names = bucket_names(storage, environment)
    missing = [purpose for purpose in PURPOSES if purpose not in names]
    if missing:
        yield Problem(
            key="objectStorage.bucketPrefix",
            value=None,
            message=f"no name for the buckets of {', '.join(missing)}: set it, for example acme-otel, "
            "or objectStorage.buckets",
        )
    taken: dict[str, str] = {}
    for purpose, name in names.items():
        key = f"objectStorage.buckets.{purpose}"
        if name in taken:
            yield Problem(key=key, value=name, message=f"{taken[name]} has this bucket; choose another")
        if len(name) > LONGEST_NAME:
            yield Problem(
                key=key,
                value=name,
                message=f"{len(name)} letters, S3 allows {LONGEST_NAME}: shorten objectStorage.bucketPrefix "
                "or environment, or set this name",
            )
        if storage.provider == "aws" and name.endswith(_OF_AN_ACCOUNT):
            yield Problem(
                key=key,
                value=name,
                message=f"S3 keeps names that end in {_OF_AN_ACCOUNT} for buckets in an account's own "
                "namespace, which the stack does not make; choose another",
            )
        if "." in name and (storage.provider == "aws" or not storage.s3.path_style):
            yield Problem(
                key=key,
                value=name,
                message="S3's certificate does not cover a name with dots as a host name; "
                "use hyphens, or objectStorage.s3.pathStyle: true",
            )
        taken.setdefault(name, key)


def _aws(aws: AwsStorage, environment: str) -> Iterator[Problem]:
    needed = [("region", aws.region, "objectStorage.provider: aws needs it, such as eu-central-1")]
    if aws.access == "podIdentity":
        message = "access: podIdentity needs the EKS cluster's name, such as main"
        needed.append(("clusterName", aws.cluster_name, message))
    else:
        message = f"access: irsa needs the cluster's provider, such as {PROVIDER}"
        needed.append(("oidcProviderArn", aws.oidc_provider_arn, message))
    for key, given, message in needed:
        if given is None:
            yield Problem(key=f"objectStorage.aws.{key}", value=None, message=message)
    if aws.kms_key_arn is not None and aws.region not in (None, aws.kms_key_arn.split(":")[3]):
        yield Problem(
            key="objectStorage.aws.kmsKeyArn",
            value=aws.kms_key_arn,
            message=f"S3 requires a key of the buckets' own region, {aws.region}",
        )
    if aws.on_destroy == "delete" and PRODUCTION.search(environment):
        yield Problem(
            key="objectStorage.aws.onDestroy",
            value="delete",
            message=f"environment {environment} keeps its buckets, like all whose name contains prod, or prd "
            "or live as a word; remove this, and delete by hand what has to go",
        )
    for key, age, fewest in (
        ("infrequentAccessAfter", aws.infrequent_access_after, LEAST_TIERING_DAYS),
        ("backupsKept", aws.backups_kept, 1),
    ):
        if age != days(max(fewest, age.days)):
            yield Problem(
                key=f"objectStorage.aws.{key}",
                value=str(age),
                message=f"S3 counts in whole days, here at least {fewest}, for example {max(fewest, 35)}d",
            )


def _s3(service: S3Storage, *, backs_up: bool) -> Iterator[Problem]:
    if service.endpoint is None:
        yield Problem(
            key="objectStorage.s3.endpoint",
            value=None,
            message="objectStorage.provider: s3 needs it, such as s3.example.com or minio.storage.svc:9000",
        )
    users = STORES.keys() if backs_up else STORES.keys() - {"backups"}
    without = sorted(users - credentials_secrets(service).keys())
    if without:
        yield Problem(
            key="objectStorage.s3.credentialsSecret",
            value=None,
            message="name a Secret in the stack's namespace with the key credentials, "
            f"or objectStorage.s3.storeSecrets for each of {', '.join(without)}",
        )
    host = (service.endpoint or INSIDE[0]).split(":")[0]
    if not service.tls and not host.endswith(INSIDE):
        yield Problem(
            key="objectStorage.s3.tls",
            value=False,
            message=f"{host} is outside the cluster; set true, or use a name that ends in {INSIDE[0]}",
        )
    if not service.tls and service.ca_secret is not None:
        yield Problem(
            key="objectStorage.s3.caSecret",
            value=service.ca_secret,
            message="has no effect without objectStorage.s3.tls: true; remove one of the two",
        )


STORAGE_CHECKS: tuple[Check, ...] = (
    Check(reads=("phase", "environment", "objectStorage", "kubernetes", "postgres"), run=_storage_is_whole),
)
