"""Object storage under mocks: who may use which bucket, and how they prove who they are."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.loaders import Loader
from pydantic import TypeAdapter

from components.buckets.names import STORES
from components.buckets.policies import partition, service_host
from components.sections.storage import Region
from tests.support.object_storage import AWS, REGION, StorageRun, aws_with, name_of

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/A1B2"


@pytest.mark.parametrize("store", STORES)
def test_a_role_names_its_own_buckets_and_no_other(on_aws: StorageRun, store: str) -> None:
    statements = on_aws.document("RolePolicy", f"object-storage-{store}-buckets", "policy")
    arns = [f"arn:aws:s3:::{name_of(purpose)}" for purpose in STORES[store]]
    assert [statement["Resource"] for statement in statements] == [arns, [f"{arn}/*" for arn in arns]]
    actions = {action for statement in statements for action in statement["Action"]}
    assert not [action for action in actions if "*" in action]
    assert ("s3:DeleteObject" in actions) == (store != "backups")


@pytest.mark.parametrize("store", STORES)
def test_pod_identity_is_for_one_service_account(on_aws: StorageRun, store: str) -> None:
    (statement,) = on_aws.document("Role", f"object-storage-{store}", "assumeRolePolicy")
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-name": "main",
        "aws:RequestTag/kubernetes-namespace": "observability",
        "aws:RequestTag/kubernetes-service-account": [store],
    }
    association = on_aws.of("PodIdentityAssociation")[f"object-storage-{store}-pods"].inputs
    assert association["clusterName"] == "main"
    assert (association["namespace"], association["serviceAccount"]) == ("observability", store)
    assert list(on_aws.made[0].annotations(store)) == ["otel-stack.io/associated-role"]


@pytest.fixture(scope="module")
def with_irsa() -> StorageRun:
    return StorageRun({**AWS, "aws": {"region": REGION, "access": "irsa", "oidcProviderArn": PROVIDER}})


@pytest.mark.parametrize("store", STORES)
def test_irsa_is_for_one_service_account(with_irsa: StorageRun, store: str) -> None:
    """Only what the tokens of the cluster's own provider say exactly: whose they are, and for whom."""
    assert with_irsa.of("PodIdentityAssociation") == {}
    issuer = PROVIDER.partition("oidc-provider/")[2]
    assert with_irsa.document("Role", f"object-storage-{store}", "assumeRolePolicy") == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": ["sts:AssumeRoleWithWebIdentity"],
            "Condition": {
                "StringEquals": {
                    f"{issuer}:aud": "sts.amazonaws.com",
                    f"{issuer}:sub": [f"system:serviceaccount:observability:{store}"],
                }
            },
        }
    ]
    assert list(with_irsa.made[0].annotations(store)) == ["eks.amazonaws.com/role-arn"]


def granted(run: StorageRun) -> dict[str, dict[str, Any]]:
    """Give everything of IAM but whom the roles trust."""
    return {
        f"{one.type} {one.name}": {key: text for key, text in one.inputs.items() if key != "assumeRolePolicy"}
        for one in run.resources
        if one.type.startswith("aws:iam/")
    }


def test_a_role_may_do_the_same_whoever_gets_it(on_aws: StorageRun, with_irsa: StorageRun) -> None:
    """What ``tests/engine/test_object_storage.py`` has IAM enforce for one way holds for the other."""
    assert granted(with_irsa) == granted(on_aws)
    assert len(granted(on_aws)) == 2 * len(STORES)


def test_no_key_is_ever_made(on_aws: StorageRun) -> None:
    assert not [one for one in on_aws.resources if "accessKey" in one.type or "accessKey" in one.inputs]


def test_credentials_are_checked_unless_told_otherwise(on_aws: StorageRun) -> None:
    skips = ("skipCredentialsValidation", "skipRequestingAccountId", "skipMetadataApiCheck")
    unchecked = StorageRun(aws_with(checkCredentials=False))
    for one, expected in ((on_aws, "false"), (unchecked, "true")):
        (provider,) = one.of("aws").values()
        assert [str(provider.inputs[skip]).lower() for skip in skips] == [expected] * 3


@pytest.mark.parametrize(
    ("region", "expected", "host"),
    [
        ("eu-central-1", "aws", "s3.eu-central-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "s3.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "aws-iso", "s3.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "s3.us-isob-east-1.sc2s.sgov.gov"),
        ("eu-isoe-west-1", "aws-iso-e", "s3.eu-isoe-west-1.cloud.adc-e.uk"),
        ("us-isof-south-1", "aws-iso-f", "s3.us-isof-south-1.csp.hci.ic.gov"),
        ("eusc-de-east-1", "aws-eusc", "s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_partitions(region: str, expected: str, host: str) -> None:
    assert (partition(region), service_host(region)) == (expected, host)


def test_every_region_that_awss_client_knows_may_be_set() -> None:
    known = {
        (found["id"], found["outputs"]["dnsSuffix"], region)
        for found in Loader().load_data("partitions")["partitions"]
        for region in found["regions"]
        if not region.endswith("-global")
    }
    assert {name for name, _, _ in known} >= {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"}
    for name, domain, region in known:
        assert TypeAdapter(Region).validate_python(region) == region
        assert (partition(region), service_host(region)) == (name, f"s3.{region}.{domain}")
