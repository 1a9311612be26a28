"""Object storage under mocks: what every bucket has, how it is kept, and what stores are told of it."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import resource_pb2

from components.buckets.names import PURPOSES, STORES
from components.object_storage import Bucket
from tests.support.object_storage import KEY, REGION, S3, StorageRun, aws_with, name_of

PARTS = {
    "BucketPublicAccessBlock",
    "BucketPolicy",
    "BucketOwnershipControls",
    "BucketServerSideEncryptionConfiguration",
    "BucketLifecycleConfiguration",
}
"""What no bucket is without."""


def test_one_bucket_per_purpose(on_aws: StorageRun) -> None:
    assert set(on_aws.of("Bucket")) == {name_of(purpose) for purpose in PURPOSES}
    assert sorted(purpose for purposes in STORES.values() for purpose in purposes) == sorted(PURPOSES)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("part", sorted(PARTS))
def test_no_bucket_is_without(on_aws: StorageRun, purpose: str, part: str) -> None:
    assert on_aws.of(part)[name_of(purpose)]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_bucket_is_closed(on_aws: StorageRun, purpose: str) -> None:
    name = name_of(purpose)
    block = on_aws.of("BucketPublicAccessBlock")[name].inputs
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [block[switch] for switch in switches] == [True] * 4
    rule = on_aws.of("BucketOwnershipControls")[name].inputs["rule"]
    assert rule == {"objectOwnership": "BucketOwnerEnforced"}
    statements = on_aws.document("BucketPolicy", name, "policy")
    for statement in statements:
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    assert [statement["Condition"] for statement in statements] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    ]


def test_everything_regional_is_told_its_region(on_aws: StorageRun) -> None:
    placed = [one for one in on_aws.resources if one.type.startswith(("aws:s3/", "aws:eks/"))]
    assert {one.inputs["region"] for one in placed} == {REGION}
    (provider,) = on_aws.of("aws").values()
    assert provider.inputs["region"] == REGION


def test_everything_goes_through_the_provider_of_the_component(on_aws: StorageRun) -> None:
    providers = {request.provider.rpartition("::")[0] for request in custom(on_aws)}
    assert providers == {
        "urn:pulumi:test::otel-stack::otel-stack:index:ObjectStorage$pulumi:providers:aws::object-storage-aws"
    }


def custom(run: StorageRun) -> list[resource_pb2.RegisterResourceRequest]:
    return [request for request in run.requests.values() if request.type.startswith("aws:")]


def test_buckets_are_protected_and_kept_with_all_that_closes_them(on_aws: StorageRun) -> None:
    for request in custom(on_aws):
        of_bucket = request.type.startswith("aws:s3/")
        assert (request.protect, request.retainOnDelete) == (of_bucket, of_bucket), request.name
    assert not any(bucket.inputs["forceDestroy"] for bucket in on_aws.of("Bucket").values())


def test_only_a_stack_that_says_so_deletes_its_buckets() -> None:
    run = StorageRun(aws_with(onDestroy="delete"), environment="dev")
    assert all(bucket.inputs["forceDestroy"] for bucket in run.of("Bucket").values())
    assert not any(request.protect or request.retainOnDelete for request in custom(run))


def test_encryption_is_s3s_own_or_a_key_of_yours(on_aws: StorageRun) -> None:
    own = on_aws.of("BucketServerSideEncryptionConfiguration")[name_of("logs")].inputs["rules"]
    assert own == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    keyed = StorageRun(aws_with(kmsKeyArn=KEY))
    for part in keyed.of("BucketServerSideEncryptionConfiguration").values():
        (rule,) = part.inputs["rules"]
        chosen = rule["applyServerSideEncryptionByDefault"]
        assert chosen == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
        assert rule["bucketKeyEnabled"] is True
    for store in STORES:
        statements = keyed.document("RolePolicy", f"object-storage-{store}-buckets", "policy")
        assert statements[-1]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert statements[-1]["Resource"] == [KEY]


def test_versions_are_kept_only_where_nothing_is_deleted_by_age(on_aws: StorageRun) -> None:
    assert set(on_aws.of("BucketVersioning")) == {
        name_of(one) for one in ("ruler", "alertmanager", "backups")
    }


def rules(run: StorageRun, purpose: str) -> dict[str, dict[str, Any]]:
    found = run.of("BucketLifecycleConfiguration")[name_of(purpose)].inputs["rules"]
    return {rule["id"]: rule for rule in found}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_leftovers_are_tidied_up_and_nothing_that_a_store_manages_expires(
    on_aws: StorageRun, purpose: str
) -> None:
    found = rules(on_aws, purpose)
    assert found["leftovers"]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert found["leftovers"]["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert {rule["status"] for rule in found.values()} == {"Enabled"}
    assert all("filter" in rule for rule in found.values())
    days = [rule["expiration"]["days"] for rule in found.values() if "days" in rule.get("expiration", {})]
    assert days == ([35] if purpose == "backups" else [])


@pytest.mark.parametrize(
    ("retention", "after", "tiered"),
    [
        ({}, "30d", set()),
        ({"metrics": "400d"}, "30d", {"metrics"}),
        ({"traces": "59d", "metrics": "60d", "logs": "61d"}, "30d", {"metrics", "logs"}),
        ({"logs": "100d"}, "90d", set()),
    ],
)
def test_tiering_leaves_alone_what_is_soon_deleted(
    retention: dict[str, str], after: str, tiered: set[str]
) -> None:
    sized: dict[str, Any] = {"sizing": {"loki": {"volume": "9TiB"}, "jaeger": {"volume": "9TiB"}}}
    storage = aws_with(infrequentAccessAfter=after)
    run = StorageRun(storage, retention=retention, **sized)
    found = {purpose for purpose in PURPOSES if "cheaper" in rules(run, purpose)}
    assert found == tiered
    for purpose in found:
        days = int(after.removesuffix("d"))
        assert rules(run, purpose)["cheaper"]["transitions"] == [
            {"days": days, "storageClass": "STANDARD_IA"}
        ]


def test_tags_say_whose_it_is() -> None:
    run = StorageRun(aws_with(tags={"Team": "platform", "Project": "other"}))
    ours = {"Project": "other", "Environment": "prod", "Team": "platform"}
    assert run.of("Bucket")[name_of("logs")].inputs["tags"] == {**ours, "Purpose": "logs"}
    assert run.of("Role")["object-storage-loki"].inputs["tags"] == {**ours, "Store": "loki"}


def test_no_two_tags_differ_in_case_alone() -> None:
    """IAM refuses them, in the middle of an update."""
    given = {"project": "observability", "environment": "prod", "store": "all", "purpose": "logs"}
    run = StorageRun(aws_with(tags=given))
    assert run.of("Bucket")[name_of("logs")].inputs["tags"] == given
    assert run.of("Role")["object-storage-loki"].inputs["tags"] == given


def test_stores_see_what_they_need(on_aws: StorageRun) -> None:
    (made,) = on_aws.made
    assert set(made.buckets) == set(PURPOSES)
    for bucket in made.buckets.values():
        assert (bucket.endpoint, bucket.region) == ("s3.eu-central-1.amazonaws.com", REGION)
        assert (bucket.path_style, bucket.tls) == (False, True)
        assert bucket.credentials_secret is None
        assert bucket.arn is not None
    assert set(made.role_arns) == set(STORES)


def test_another_service_is_described_and_nothing_is_made() -> None:
    run = StorageRun(S3)
    assert [one.type for one in run.resources if not one.type.startswith("otel-stack:")] == []
    assert run.made[0].buckets["logs"] == Bucket(
        name=name_of("logs"),
        endpoint="minio.storage.svc:9000",
        region="us-east-1",
        path_style=True,
        credentials_secret="object-storage",
    )
    assert run.made[0].role_arns == {}


@pytest.mark.parametrize("all_stores", ["object-storage", None])
def test_a_store_may_have_a_secret_of_its_own(all_stores: str | None) -> None:
    own = {"tempo": "s3-tempo", "mimir": "s3-mimir", "loki": "s3-loki", "backups": "s3-backups"}
    service = {**S3["s3"], "credentialsSecret": all_stores, "storeSecrets": own}
    made = StorageRun({**S3, "s3": service}).made[0]
    secrets = {purpose: bucket.credentials_secret for purpose, bucket in made.buckets.items()}
    assert secrets == {purpose: own[store] for store, purposes in STORES.items() for purpose in purposes}
    rest = {"tempo": "s3-tempo"}
    if all_stores is not None:
        made = StorageRun({**S3, "s3": {**service, "storeSecrets": rest}}).made[0]
        found = {made.buckets[purpose].credentials_secret for purpose in PURPOSES if purpose != "traces"}
        assert (made.buckets["traces"].credentials_secret, found) == ("s3-tempo", {all_stores})
