"""The aws stand-in against a real moto server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.providers import wire
from tests.lab.providers.aws.provider import AwsProvider
from tests.lab.providers.errors import ProviderError
from tests.lab.providers.resource import Made, Resource
from tests.support.aws import KEYS, REGION, Aws, server

BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/policy:Policy"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ],
    }
)
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
OTHER_DOCUMENT = DOCUMENT.replace("GetObject", "PutObject")
ROLE_ARN = "arn:aws:iam::123456789012:role/reader"
POLICY_ARN = "arn:aws:iam::123456789012:policy/reading"

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    BUCKET: ({"bucket": "second", "tags": {"a": "b"}}, {"tags": {"a": "c"}}),
    VERSIONING: (
        {"bucket": "first", "versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
    ),
    ENCRYPTION: (
        {
            "bucket": "first",
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        },
        {
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": "arn:aws:kms:eu-central-1:123456789012:key/one",
                    },
                    "bucketKeyEnabled": True,
                }
            ]
        },
    ),
    LIFECYCLE: (
        {
            "bucket": "first",
            "rules": [
                {
                    "id": "uploads",
                    "status": "Enabled",
                    "filter": {},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                    "noncurrentVersionExpiration": {"noncurrentDays": 30},
                    "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}],
                }
            ],
        },
        {"rules": [{"id": "age", "status": "Enabled", "filter": {}, "expiration": {"days": 35}}]},
    ),
    BUCKET_POLICY: ({"bucket": "first", "policy": DOCUMENT}, {"policy": OTHER_DOCUMENT}),
    PUBLIC_ACCESS: ({"bucket": "first", "blockPublicAcls": True}, {"blockPublicPolicy": True}),
    OWNERSHIP: (
        {"bucket": "first", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
    ROLE: ({"name": "writer", "assumeRolePolicy": TRUST, "tags": {"a": "b"}}, {"tags": {"c": "d"}}),
    POLICY: ({"name": "writing", "policy": DOCUMENT}, {"policy": OTHER_DOCUMENT}),
    ROLE_POLICY: ({"name": "inline", "role": "reader", "policy": DOCUMENT}, {"policy": OTHER_DOCUMENT}),
    ATTACHMENT: ({"role": "reader", "policyArn": POLICY_ARN}, {}),
    ASSOCIATION: (
        {
            "clusterName": "main",
            "namespace": "observability",
            "serviceAccount": "tempo",
            "roleArn": ROLE_ARN,
        },
        {"roleArn": ROLE_ARN.replace("reader", "reader-too")},
    ),
}
"""Type -> inputs, and a change of them that needs no new resource."""

REPLACING = {
    BUCKET: {"bucket", "region"},
    VERSIONING: {"bucket", "region"},
    ENCRYPTION: {"bucket", "region"},
    LIFECYCLE: {"bucket", "region"},
    BUCKET_POLICY: {"bucket", "region"},
    PUBLIC_ACCESS: {"bucket", "region"},
    OWNERSHIP: {"bucket", "region"},
    ROLE: {"name", "path"},
    POLICY: {"name", "path", "description"},
    ROLE_POLICY: {"name", "role"},
    ATTACHMENT: {"role", "policyArn"},
    ASSOCIATION: {"clusterName", "namespace", "serviceAccount", "region"},
}


@pytest.fixture(scope="module")
def running() -> Iterator[Aws]:
    with server() as aws:
        yield aws


@pytest.fixture
def aws(running: Aws) -> Aws:
    """An account with a bucket, two roles, a policy and a cluster."""
    running.reset()
    running.make_bucket("first")
    for name in ("reader", "reader-too"):
        running.iam().create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    running.iam().create_policy(PolicyName="reading", PolicyDocument=DOCUMENT)
    running.make_cluster("main")
    return running


@pytest.fixture(scope="module")
def connected(running: Aws) -> AwsProvider:
    made = AwsProvider()
    made.configure(running.provider)
    return made


@pytest.fixture
def provider(connected: AwsProvider, aws: Aws) -> AwsProvider:
    del aws
    return connected


def create(resource: Resource, inputs: dict[str, Any]) -> Made:
    assert list(resource.failures(inputs)) == []
    return resource.create(resource.checked(inputs, {}, "name", b"seed"))


@pytest.mark.parametrize("token", CASES)
def test_made_read_changed_and_removed(provider: AwsProvider, token: str) -> None:
    resource, (inputs, change) = provider.resource(token), CASES[token]
    made = create(resource, inputs)
    assert made.outputs.keys() <= resource.schema.outputs
    assert resource.diff(made.outputs, inputs).changes == ()
    assert resource.read(made.resource_id, inputs, made.outputs) == made.outputs
    if change:
        news = {**inputs, **change}
        found = resource.diff(made.outputs, news).changes
        assert {one.property for one in found} == change.keys()
        assert not [one for one in found if one.replaces]
        updated = resource.update(made.resource_id, made.outputs, news)
        assert resource.diff(updated, news).changes == ()
        assert resource.read(made.resource_id, news, updated) == updated
        made = Made(resource_id=made.resource_id, outputs=updated)
    resource.delete(made.resource_id, made.outputs)
    if token != VERSIONING:  # which can only be suspended
        assert resource.read(made.resource_id, inputs, made.outputs) is None
    resource.delete(made.resource_id, made.outputs)


@pytest.mark.parametrize("token", REPLACING)
def test_what_replaces(provider: AwsProvider, token: str) -> None:
    resource, (inputs, _) = provider.resource(token), CASES[token]
    state = resource.recorded(inputs)
    for name in REPLACING[token]:
        (change,) = resource.diff(state, {**inputs, name: "another"}).changes
        assert (change.property, change.replaces) == (name, True)


@pytest.mark.parametrize("token", CASES)
def test_inputs_that_the_sdk_does_not_know_are_refused(provider: AwsProvider, token: str) -> None:
    inputs = {**CASES[token][0], "colour": "red"}
    (failure,) = provider.resource(token).failures(inputs)
    assert (failure.path, "no such property" in failure.reason) == ("colour", True)


def test_settings_inside_the_bucket_are_refused(provider: AwsProvider) -> None:
    inputs = {"bucket": "second", "versioning": {"enabled": True}}
    (failure,) = provider.resource(BUCKET).failures(inputs)
    assert (failure.path, "not modelled" in failure.reason) == ("versioning", True)


def test_a_policy_that_is_written_differently_is_the_same(provider: AwsProvider) -> None:
    resource = provider.resource(BUCKET_POLICY)
    made = create(resource, {"bucket": "first", "policy": DOCUMENT})
    reordered = json.dumps(dict(reversed(json.loads(DOCUMENT).items())), indent=4)
    assert reordered != DOCUMENT
    assert resource.diff(made.outputs, {"bucket": "first", "policy": reordered}).changes == ()


def test_a_bucket_that_moves_is_deleted_first_for_its_name(provider: AwsProvider) -> None:
    resource = provider.resource(BUCKET)
    made = create(resource, {"bucket": "second"})
    assert resource.diff(made.outputs, {"bucket": "second", "region": "us-west-2"}).delete_before_replace
    assert not resource.diff(made.outputs, {"bucket": "third"}).delete_before_replace


def test_a_bucket_is_where_its_region_says(provider: AwsProvider, aws: Aws) -> None:
    for name, region in (("here", None), ("far", "us-west-2"), ("first-region", "us-east-1")):
        create(provider.resource(BUCKET), {"bucket": name, **({"region": region} if region else {})})
        found = aws.s3().get_bucket_location(Bucket=name).get("LocationConstraint")
        assert found == (None if region == "us-east-1" else region or REGION)


def test_a_bucket_with_objects_is_deleted_only_when_forced(provider: AwsProvider, aws: Aws) -> None:
    resource = provider.resource(BUCKET)
    made = create(resource, {"bucket": "full", "forceDestroy": False})
    versioning = {"bucket": "full", "versioningConfiguration": {"status": "Enabled"}}
    versioned = create(provider.resource(VERSIONING), versioning)
    for _ in range(2):
        aws.s3().put_object(Bucket="full", Key="object", Body=b"x")
    aws.s3().delete_object(Bucket="full", Key="object")
    provider.resource(VERSIONING).delete(versioned.resource_id, versioned.outputs)
    with pytest.raises(ProviderError, match="BucketNotEmpty"):
        resource.delete(made.resource_id, made.outputs)
    resource.delete(made.resource_id, {**made.outputs, "forceDestroy": True})
    assert [bucket["Name"] for bucket in aws.s3().list_buckets()["Buckets"]] == ["first"]


def test_names_are_chosen_once(provider: AwsProvider) -> None:
    resource = provider.resource(BUCKET)
    first = resource.checked({}, {}, "store", b"one")
    again = resource.checked({}, first, "store", b"two")
    assert first["bucket"].startswith("store-")
    assert again["bucket"] == first["bucket"]


def test_services_say_what_is_wrong(provider: AwsProvider) -> None:
    create(provider.resource(BUCKET), {"bucket": "second"})
    with pytest.raises(ProviderError, match="creating Bucket: BucketAlreadyOwnedByYou"):
        create(provider.resource(BUCKET), {"bucket": "second"})
    with pytest.raises(ProviderError, match=r"creating RolePolicy: NoSuchEntity: .*nobody"):
        create(provider.resource(ROLE_POLICY), {"role": "nobody", "policy": DOCUMENT})


def test_a_service_account_has_one_role(provider: AwsProvider) -> None:
    inputs = CASES[ASSOCIATION][0]
    create(provider.resource(ASSOCIATION), inputs)
    with pytest.raises(ProviderError, match="ResourceInUseException"):
        create(provider.resource(ASSOCIATION), inputs)
    with pytest.raises(ProviderError, match="ResourceNotFoundException"):
        create(provider.resource(ASSOCIATION), {**inputs, "clusterName": "elsewhere"})
    with pytest.raises(ProviderError, match="NoSuchEntity"):
        create(
            provider.resource(ASSOCIATION),
            {**inputs, "namespace": "other", "roleArn": ROLE_ARN.replace("reader", "nobody")},
        )


def test_a_role_with_policies_goes_only_when_they_may_be_taken(provider: AwsProvider) -> None:
    role = provider.resource(ROLE)
    made = create(role, {"name": "writer", "assumeRolePolicy": TRUST})
    create(provider.resource(ATTACHMENT), {"role": "writer", "policyArn": POLICY_ARN})
    create(provider.resource(ROLE_POLICY), {"name": "inline", "role": "writer", "policy": DOCUMENT})
    with pytest.raises(ProviderError, match="DeleteConflict"):
        role.delete(made.resource_id, made.outputs)
    role.delete(made.resource_id, {**made.outputs, "forceDetachPolicies": True})
    assert role.read(made.resource_id, {}, made.outputs) is None


def test_a_policy_keeps_five_versions(provider: AwsProvider, aws: Aws) -> None:
    resource = provider.resource(POLICY)
    made = create(resource, {"name": "writing", "policy": DOCUMENT})
    for count in range(7):
        news = {"name": "writing", "policy": DOCUMENT.replace('"*"', f'"arn:aws:s3:::b{count}"')}
        outputs = resource.update(made.resource_id, made.outputs, news)
        assert resource.diff(outputs, news).changes == ()
    assert len(aws.iam().list_policy_versions(PolicyArn=made.resource_id)["Versions"]) == 5


def test_previews_ask_no_server() -> None:
    provider = AwsProvider()
    nowhere = {**KEYS, "region": REGION, "skipCredentialsValidation": True}
    provider.configure({**nowhere, "endpoints": [{"s3": "http://127.0.0.1:9"}]})
    for token, (inputs, _) in CASES.items():
        planned = provider.resource(token).planned(inputs)
        assert planned.items() >= inputs.items()
        assert planned.get("region", REGION) == REGION
    assert provider.resource(BUCKET).planned({"bucket": "b"})["arn"] == wire.UNKNOWN


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "Missing region"),
        ({"region": REGION}, "No valid credential sources"),
        ({**KEYS, "region": REGION, "endpoints": [{"sts": "http://127.0.0.1:9"}]}, "validating provider"),
        ({**KEYS, "region": REGION, "defaultTags": {"tags": {"a": "b"}}}, "does not model defaultTags"),
    ],
)
def test_settings_are_checked(config: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(ProviderError, match=message):
        AwsProvider().configure(config)
