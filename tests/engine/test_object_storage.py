"""Buckets and roles through the real engine, on a moto server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from types_boto3_s3.client import S3Client

from components.buckets.names import PURPOSES, STORES
from ops.inventory import Inventory, aws_buckets, stashed, take_inventory
from ops.pulumi.hints import find_hint
from tests.support.aws import BUCKETS, CLUSTER, OBJECT_STORAGE, REGION, Aws, server_with_cluster
from tests.support.stack import Stack

PROGRAM = Path(__file__).with_name("programs") / "object_storage"
KEPT: dict[str, Any] = {
    **OBJECT_STORAGE,
    "aws": {
        "region": REGION,
        "access": "irsa",
        "oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/A1",
    },
}
OWN = [(store, purpose) for store, purposes in STORES.items() for purpose in purposes]
OTHERS = [(store, purpose) for store in STORES for purpose in PURPOSES if purpose not in STORES[store]]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with server_with_cluster() as running:
        yield running


def new_stack(folder: Path, aws: Aws, storage: dict[str, Any]) -> Stack:
    config = {"environment": "dev", "objectStorage": storage}
    return Stack(name="storage", folder=folder, program=PROGRAM, config=config, variables=aws.environment)


@pytest.fixture(scope="module")
def stack(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = new_stack(tmp_path_factory.mktemp("storage") / "stack", aws, OBJECT_STORAGE)
    try:
        made.up()
        yield made
    finally:
        made.destroy()


@pytest.fixture(scope="module")
def roles(stack: Stack, aws: Aws) -> dict[str, S3Client]:
    """S3 as each store's pods see it."""
    arns: dict[str, str] = stack.outputs()["roles"]
    return {store: aws.s3(**aws.assume(arn)) for store, arn in arns.items()}


def refusal(action: Callable[[], object]) -> str:
    """Do it; answers the code with which it was refused, or nothing."""
    try:
        action()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_nothing_changes_without_a_reason(stack: Stack) -> None:
    stack.preview("--expect-no-changes")
    stack.refresh("--expect-no-changes")


def test_every_bucket_is_closed_encrypted_and_tidied_up(stack: Stack, aws: Aws) -> None:
    assert stack.outputs()["buckets"] == BUCKETS
    client = aws.s3()
    for purpose, name in BUCKETS.items():
        assert client.get_bucket_location(Bucket=name)["LocationConstraint"] == REGION
        blocked = client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        assert set(blocked.values()) == {True}
        (rule,) = client.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
        assert rule["ObjectOwnership"] == "BucketOwnerEnforced"
        (encryption,) = client.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"][
            "Rules"
        ]
        assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        policy = json.loads(client.get_bucket_policy(Bucket=name)["Policy"])
        assert {statement["Effect"] for statement in policy["Statement"]} == {"Deny"}
        lifecycle = client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        assert lifecycle[0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
        tags = {tag["Key"]: tag["Value"] for tag in client.get_bucket_tagging(Bucket=name)["TagSet"]}
        assert tags == {"Project": "otel-stack", "Environment": "dev", "Purpose": purpose}


def test_pods_of_a_service_account_get_its_role(stack: Stack, aws: Aws) -> None:
    kept = aws.eks().describe_cluster(name=CLUSTER)["cluster"]["tags"]
    arns = stack.outputs()["roles"]
    assert kept == {f"pod-identity/observability/{store}": arns[store] for store in STORES}


@pytest.fixture(scope="module")
def opened(stack: Stack, aws: Aws, roles: dict[str, S3Client]) -> Iterator[None]:
    """Only the roles' policies decide: moto takes every request for one over plain HTTP."""
    del stack, roles
    policies = {name: aws.s3().get_bucket_policy(Bucket=name)["Policy"] for name in BUCKETS.values()}
    for name in policies:
        aws.s3().delete_bucket_policy(Bucket=name)
        aws.s3().put_object(Bucket=name, Key="there", Body=b"x")
    yield
    for name, policy in policies.items():
        aws.s3().put_bucket_policy(Bucket=name, Policy=policy)


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(("store", "purpose"), OWN)
def test_a_store_may_do_what_it_needs(store: str, purpose: str, aws: Aws, roles: dict[str, S3Client]) -> None:
    client, name = roles[store], BUCKETS[purpose]
    with aws.enforcing():
        client.put_object(Bucket=name, Key="block/1", Body=b"data")
        read = refusal(lambda: client.get_object(Bucket=name, Key="block/1"))
        assert [item["Key"] for item in client.list_objects_v2(Bucket=name, Prefix="block/")["Contents"]]
        upload = client.create_multipart_upload(Bucket=name, Key="block/2")["UploadId"]
        client.upload_part(Bucket=name, Key="block/2", UploadId=upload, PartNumber=1, Body=b"part")
        client.abort_multipart_upload(Bucket=name, Key="block/2", UploadId=upload)
        deleted = refusal(lambda: client.delete_object(Bucket=name, Key="block/1"))
    assert read == deleted == ("AccessDenied" if store == "backups" else "")


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(("store", "purpose"), OTHERS)
def test_a_store_is_refused_on_the_buckets_of_others(
    store: str, purpose: str, aws: Aws, roles: dict[str, S3Client]
) -> None:
    client, name = roles[store], BUCKETS[purpose]
    actions: list[Callable[[], object]] = [
        lambda: client.put_object(Bucket=name, Key="there", Body=b"y"),
        lambda: client.get_object(Bucket=name, Key="there"),
        lambda: client.list_objects_v2(Bucket=name),
        lambda: client.delete_object(Bucket=name, Key="there"),
        lambda: client.create_multipart_upload(Bucket=name, Key="there"),
    ]
    with aws.enforcing():
        assert {refusal(action) for action in actions} == {"AccessDenied"}


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("store", STORES)
def test_a_store_cannot_open_its_own_bucket(store: str, aws: Aws, roles: dict[str, S3Client]) -> None:
    client, name = roles[store], BUCKETS[STORES[store][0]]
    actions: list[Callable[[], object]] = [
        lambda: client.put_bucket_policy(Bucket=name, Policy="{}"),
        lambda: client.delete_public_access_block(Bucket=name),
        lambda: client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"}),
        lambda: client.delete_bucket(Bucket=name),
        client.list_buckets,
    ]
    with aws.enforcing():
        assert {refusal(action) for action in actions} == {"AccessDenied"}


def test_what_destroy_keeps(aws: Aws, tmp_path: Path) -> None:
    storage = {**KEPT, "bucketPrefix": "kept"}
    stack = new_stack(tmp_path / "stack", aws, storage)
    stack.up()
    roles = {arn.rpartition("/")[2] for arn in stack.outputs()["roles"].values()}
    aws.s3().delete_bucket_policy(Bucket="kept-dev-logs")  # behind which moto denies every object
    aws.s3().put_object(Bucket="kept-dev-logs", Key="chunk", Body=b"x")
    for refused in (
        stack.up(
            {"objectStorage": {**storage, "aws": {**storage["aws"], "region": "eu-west-1"}}}, check=False
        ),
        stack.destroy(check=False),
    ):
        assert refused.status != 0
        assert "protect" in refused.text, refused.text
    stack.config["objectStorage"] = storage
    stack.destroy("--exclude-protected")
    aws.s3().head_object(Bucket="kept-dev-logs", Key="chunk")
    assert not roles.intersection(role["RoleName"] for role in aws.iam().list_roles()["Roles"])
    stack.up()
    aws.s3().head_object(Bucket="kept-dev-logs", Key="chunk")
    stack.up({"objectStorage": {**storage, "aws": {**storage["aws"], "onDestroy": "delete"}}})
    stack.destroy()
    names = [bucket["Name"] for bucket in aws.s3().list_buckets()["Buckets"]]
    assert not [name for name in names if name.startswith("kept-")]


def inventory_of(stack: Stack) -> Inventory:
    return take_inventory(json.loads(stack.export())["deployment"].get("resources") or [])


def test_what_make_down_and_make_destroy_pass_by(aws: Aws, tmp_path: Path) -> None:
    stack = new_stack(tmp_path / "stack", aws, {**KEPT, "bucketPrefix": "passed"})
    stack.up()
    made = inventory_of(stack)
    assert set(made.buckets) == {f"passed-dev-{purpose}" for purpose in PURPOSES}
    excluded = [f"--exclude={urn}" for urn in made.protected_urns]
    for _again in range(2):
        stack.destroy(*excluded)
        assert set(inventory_of(stack).protected_urns) == set(made.protected_urns)
        assert not [one for one in stack.resources() if one.startswith("aws:iam/")]
    stack.up()
    stack.preview("--expect-no-changes")
    stack.run("state", "unprotect", "--all", "--yes")
    stack.destroy()
    assert stack.resources() == []
    assert set(made.buckets) <= {bucket["Name"] for bucket in aws.s3().list_buckets()["Buckets"]}


def test_a_name_that_somebody_else_has_can_be_set_anew(aws: Aws, tmp_path: Path) -> None:
    theirs = aws.s3(**aws.assume("arn:aws:iam::210987654321:role/somebody-else"))
    theirs.create_bucket(Bucket="taken-dev-logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    storage = {**KEPT, "bucketPrefix": "taken", "aws": {**KEPT["aws"], "onDestroy": "delete"}}
    stack = new_stack(tmp_path / "stack", aws, storage)
    refused = stack.up(check=False)
    hint = find_hint(refused.text, "prod")
    assert hint is not None, refused.text
    assert "objectStorage.buckets of the stack's file: logs;" in hint.advice
    assert "pulumi:index:Stash bucket-logs" not in stack.resources()
    stack.up({"objectStorage": {**storage, "buckets": {"logs": "ours-logs"}}})
    assert stashed(stack.state())["bucket-logs"] == "ours-logs"
    assert set(aws_buckets(stack.state())) == {
        *(f"taken-dev-{purpose}" for purpose in PURPOSES if purpose != "logs"),
        "ours-logs",
    }
    stack.destroy()


def test_previews_need_no_aws_within_reach(tmp_path: Path) -> None:
    unchecked = {**OBJECT_STORAGE, "aws": {**OBJECT_STORAGE["aws"], "checkCredentials": False}}
    stack = new_stack(tmp_path / "stack", Aws(endpoint=NOWHERE), unchecked)
    plan = stack.plan()
    assert set(plan.values()) == {"create"}
    assert len([step for step in plan if step.startswith("aws:s3/bucket:")]) == len(PURPOSES)


def test_credentials_that_cannot_be_checked_are_refused_in_words(tmp_path: Path) -> None:
    stack = new_stack(tmp_path / "stack", Aws(endpoint=NOWHERE), OBJECT_STORAGE)
    refused = stack.preview(check=False)
    assert refused.status != 0
    assert "Traceback" not in refused.text
    assert "validating provider credentials" in refused.text
