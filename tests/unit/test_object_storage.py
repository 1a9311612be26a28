"""Object storage under mocks: what every bucket has, who may use it, and which settings are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import set_mocks
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2

from components.object_storage import Bucket, ObjectStorage, ObjectStorageArgs
from components.settings import Settings
from components.settings_errors import SettingsError
from components.storage_names import PURPOSES, STORES, bucket_names
from components.storage_policies import partition, service_host
from tests.support.program import Recorder, Registered, event_loop, run_program

REGION = "eu-central-1"
AWS: dict[str, Any] = {"bucketPrefix": "acme-otel", "aws": {"region": REGION, "clusterName": "main"}}
S3: dict[str, Any] = {
    "provider": "s3",
    "bucketPrefix": "acme-otel",
    "s3": {"endpoint": "minio.storage.svc:9000", "credentialsSecret": "object-storage"},
}
CLUSTER = {"kubeconfig": "kubeconfig.yaml", "context": "main"}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0f1e2d3c"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/A1B2"
PARTS = {
    "BucketPublicAccessBlock",
    "BucketPolicy",
    "BucketOwnershipControls",
    "BucketServerSideEncryptionConfiguration",
    "BucketLifecycleConfiguration",
}
"""What no bucket is without."""


class Monitor(MockMonitor):
    """Remembers the options too, which mocks are not told."""

    def __init__(self, mocks: Recorder) -> None:
        super().__init__(mocks)
        self.requests: dict[str, resource_pb2.RegisterResourceRequest] = {}

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802 (the SDK's)
        self.requests[f"{request.type.rpartition(':')[2]} {request.name}"] = request
        register: Any = super().RegisterResource
        return register(request)


class Run:
    """Object storage as it was registered."""

    def __init__(self, storage: dict[str, Any], **settings: Any) -> None:
        config = {"phase": 4, "environment": "prod", "kubernetes": CLUSTER, **settings}
        checked = Settings.load({**config, "objectStorage": storage})
        recorder = Recorder({})
        monitor = Monitor(recorder)
        args = ObjectStorageArgs(
            storage=checked.object_storage,
            environment=checked.environment,
            namespace="observability",
            retention=checked.retention,
        )
        self.made: list[ObjectStorage] = []
        harness: Callable[[Callable[[], object]], Callable[[], None]] = pulumi.runtime.test
        with event_loop():
            set_mocks(recorder, project="otel-stack", stack="test", preview=False, monitor=monitor)
            harness(lambda: self.made.append(ObjectStorage("object-storage", args)))()
        self.requests = monitor.requests
        self.resources = recorder.resources

    def of(self, kind: str) -> dict[str, Registered]:
        """Resources of a type of AWS, by the bucket or name that they are for."""
        found = (one for one in self.resources if one.type.rpartition(":")[2] == kind)
        return {str(one.inputs.get("bucket") or one.name): one for one in found}

    def document(self, kind: str, name: str, field: str) -> list[dict[str, Any]]:
        """Statements of a policy document."""
        statements: list[dict[str, Any]] = json.loads(self.of(kind)[name].inputs[field])["Statement"]
        return statements


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(AWS)


def name_of(purpose: str) -> str:
    return f"acme-otel-prod-{purpose}"


def test_one_bucket_per_purpose(run: Run) -> None:
    assert set(run.of("Bucket")) == {name_of(purpose) for purpose in PURPOSES}
    assert sorted(purpose for purposes in STORES.values() for purpose in purposes) == sorted(PURPOSES)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("part", sorted(PARTS))
def test_no_bucket_is_without(run: Run, purpose: str, part: str) -> None:
    assert run.of(part)[name_of(purpose)]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_bucket_is_closed(run: Run, purpose: str) -> None:
    name = name_of(purpose)
    block = run.of("BucketPublicAccessBlock")[name].inputs
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [block[switch] for switch in switches] == [True] * 4
    rule = run.of("BucketOwnershipControls")[name].inputs["rule"]
    assert rule == {"objectOwnership": "BucketOwnerEnforced"}
    statements = run.document("BucketPolicy", name, "policy")
    for statement in statements:
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [statement["Condition"] for statement in statements]


def test_everything_regional_is_told_its_region(run: Run) -> None:
    placed = [one for one in run.resources if one.type.startswith(("aws:s3/", "aws:eks/"))]
    assert {one.inputs["region"] for one in placed} == {REGION}
    (provider,) = run.of("aws").values()
    assert provider.inputs["region"] == REGION


def test_everything_goes_through_the_provider_of_the_component(run: Run) -> None:
    providers = {request.provider.rpartition("::")[0] for request in custom(run)}
    assert providers == {
        "urn:pulumi:test::otel-stack::otel-stack:index:ObjectStorage$pulumi:providers:aws::object-storage-aws"
    }


def custom(run: Run) -> list[resource_pb2.RegisterResourceRequest]:
    return [request for request in run.requests.values() if request.type.startswith("aws:")]


def test_buckets_are_protected_and_kept_with_all_that_closes_them(run: Run) -> None:
    for request in custom(run):
        of_bucket = request.type.startswith("aws:s3/")
        assert (request.protect, request.retainOnDelete) == (of_bucket, of_bucket), request.name
    assert not any(bucket.inputs["forceDestroy"] for bucket in run.of("Bucket").values())


def test_only_a_stack_that_says_so_deletes_its_buckets() -> None:
    run = Run({**AWS, "aws": {**AWS["aws"], "onDestroy": "delete"}}, environment="dev")
    assert all(bucket.inputs["forceDestroy"] for bucket in run.of("Bucket").values())
    assert not any(request.protect or request.retainOnDelete for request in custom(run))


def test_encryption_is_s3s_own_or_a_key_of_yours(run: Run) -> None:
    own = run.of("BucketServerSideEncryptionConfiguration")[name_of("logs")].inputs["rules"]
    assert own == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    keyed = Run({**AWS, "aws": {**AWS["aws"], "kmsKeyArn": KEY}})
    for part in keyed.of("BucketServerSideEncryptionConfiguration").values():
        (rule,) = part.inputs["rules"]
        chosen = rule["applyServerSideEncryptionByDefault"]
        assert chosen == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
        assert rule["bucketKeyEnabled"] is True
    for store in STORES:
        statements = keyed.document("RolePolicy", f"object-storage-{store}-buckets", "policy")
        assert statements[-1]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert statements[-1]["Resource"] == [KEY]


def test_versions_are_kept_only_where_nothing_is_deleted_by_age(run: Run) -> None:
    assert set(run.of("BucketVersioning")) == {name_of(one) for one in ("ruler", "alertmanager", "backups")}


def rules(run: Run, purpose: str) -> dict[str, dict[str, Any]]:
    found = run.of("BucketLifecycleConfiguration")[name_of(purpose)].inputs["rules"]
    return {rule["id"]: rule for rule in found}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_leftovers_are_tidied_up_and_nothing_that_a_store_manages_expires(run: Run, purpose: str) -> None:
    found = rules(run, purpose)
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
    sized = {"sizing": {"loki": {"volume": "9TiB"}, "jaeger": {"volume": "9TiB"}}}
    storage = {**AWS, "aws": {**AWS["aws"], "infrequentAccessAfter": after}}
    run = Run(storage, retention=retention, **sized)
    found = {purpose for purpose in PURPOSES if "cheaper" in rules(run, purpose)}
    assert found == tiered
    for purpose in found:
        days = int(after.removesuffix("d"))
        assert rules(run, purpose)["cheaper"]["transitions"] == [
            {"days": days, "storageClass": "STANDARD_IA"}
        ]


@pytest.mark.parametrize("store", STORES)
def test_a_role_names_its_own_buckets_and_no_other(run: Run, store: str) -> None:
    statements = run.document("RolePolicy", f"object-storage-{store}-buckets", "policy")
    arns = [f"arn:aws:s3:::{name_of(purpose)}" for purpose in STORES[store]]
    assert [statement["Resource"] for statement in statements] == [arns, [f"{arn}/*" for arn in arns]]
    actions = {action for statement in statements for action in statement["Action"]}
    assert not [action for action in actions if "*" in action]
    assert ("s3:DeleteObject" in actions) == (store != "backups")


@pytest.mark.parametrize("store", STORES)
def test_pod_identity_is_for_one_service_account(run: Run, store: str) -> None:
    (statement,) = run.document("Role", f"object-storage-{store}", "assumeRolePolicy")
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-name": "main",
        "aws:RequestTag/kubernetes-namespace": "observability",
        "aws:RequestTag/kubernetes-service-account": [store],
    }
    association = run.of("PodIdentityAssociation")[f"object-storage-{store}-pods"].inputs
    assert association["clusterName"] == "main"
    assert (association["namespace"], association["serviceAccount"]) == ("observability", store)
    assert list(run.made[0].annotations(store)) == ["otel-stack.io/associated-role"]


def test_irsa_is_for_one_service_account() -> None:
    aws = {"region": REGION, "access": "irsa", "oidcProviderArn": PROVIDER}
    run = Run({**AWS, "aws": aws})
    assert run.of("PodIdentityAssociation") == {}
    (statement,) = run.document("Role", "object-storage-loki", "assumeRolePolicy")
    issuer = PROVIDER.partition("oidc-provider/")[2]
    assert statement["Principal"] == {"Federated": PROVIDER}
    assert statement["Condition"]["StringEquals"] == {
        f"{issuer}:aud": "sts.amazonaws.com",
        f"{issuer}:sub": ["system:serviceaccount:observability:loki"],
    }
    assert list(run.made[0].annotations("loki")) == ["eks.amazonaws.com/role-arn"]


def test_no_key_is_ever_made(run: Run) -> None:
    assert not [one for one in run.resources if "accessKey" in one.type or "accessKey" in one.inputs]


def test_credentials_are_checked_unless_told_otherwise(run: Run) -> None:
    skips = ("skipCredentialsValidation", "skipRequestingAccountId", "skipMetadataApiCheck")
    unchecked = Run({**AWS, "aws": {**AWS["aws"], "checkCredentials": False}})
    for one, expected in ((run, "false"), (unchecked, "true")):
        (provider,) = one.of("aws").values()
        assert [str(provider.inputs[skip]).lower() for skip in skips] == [expected] * 3


def test_tags_say_whose_it_is() -> None:
    run = Run({**AWS, "aws": {**AWS["aws"], "tags": {"Team": "platform", "Project": "other"}}})
    ours = {"Project": "otel-stack", "Environment": "prod", "Team": "platform"}
    assert run.of("Bucket")[name_of("logs")].inputs["tags"] == {**ours, "Purpose": "logs"}
    assert run.of("Role")["object-storage-loki"].inputs["tags"] == {**ours, "Store": "loki"}


def test_stores_see_what_they_need(run: Run) -> None:
    (made,) = run.made
    assert set(made.buckets) == set(PURPOSES)
    for bucket in made.buckets.values():
        assert (bucket.endpoint, bucket.region) == ("s3.eu-central-1.amazonaws.com", REGION)
        assert (bucket.path_style, bucket.tls) == (False, True)
        assert bucket.credentials_secret is None
        assert bucket.role_arn is not None


def test_another_service_is_described_and_nothing_is_made() -> None:
    run = Run(S3)
    assert [one.type for one in run.resources if not one.type.startswith("otel-stack:")] == []
    assert run.made[0].buckets["logs"] == Bucket(
        name=name_of("logs"),
        endpoint="minio.storage.svc:9000",
        region="us-east-1",
        path_style=True,
        credentials_secret="object-storage",
    )
    assert run.made[0].role_arns == {}


@given(
    prefix=st.from_regex(r"\A[a-z0-9][a-z0-9-]{1,19}\Z").filter(
        lambda text: not text.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
    ),
    environment=st.from_regex(r"\A[a-z][a-z0-9-]{0,20}\Z").filter(lambda text: text != "prod"),
)
def test_names_are_valid_unique_and_always_the_same(prefix: str, environment: str) -> None:
    config = {"phase": 4, "environment": environment, "kubernetes": CLUSTER}
    settings = Settings.load({**config, "objectStorage": {**AWS, "bucketPrefix": prefix}})
    names = bucket_names(settings.object_storage, settings.environment)
    assert len(set(names.values())) == len(PURPOSES)
    assert names == bucket_names(settings.object_storage, settings.environment)
    assert all(3 <= len(name) <= 63 and name == name.lower() for name in names.values())


@pytest.mark.parametrize(
    ("region", "expected", "host"),
    [
        ("eu-central-1", "aws", "s3.eu-central-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "s3.us-gov-west-1.amazonaws.com"),
    ],
)
def test_partitions(region: str, expected: str, host: str) -> None:
    assert (partition(region), service_host(region)) == (expected, host)


def aws_with(**changes: Any) -> dict[str, Any]:
    return {**AWS, "aws": {**AWS["aws"], **changes}}


def s3_with(**changes: Any) -> dict[str, Any]:
    return {**S3, "s3": {**S3["s3"], **changes}}


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({}, "objectStorage.bucketPrefix: not set: no name for the buckets of traces, metrics, ruler, alert"),
    ({}, "objectStorage.aws.region: not set: .*such as eu-central-1"),
    (
        {},
        "objectStorage.aws.clusterName: not set: access: podIdentity needs the EKS cluster's name, such as",
    ),
    (
        {"aws": {"access": "irsa"}},
        "oidcProviderArn: not set: access: irsa needs the cluster's provider, such as arn:",
    ),
    ({**AWS, "bucketPrefix": "Acme"}, "bucketPrefix: 'Acme': write 2 to 30 lower-case letters"),
    ({**AWS, "bucketPrefix": "xn--a"}, "bucketPrefix: 'xn--a': write 2 to 30"),
    ({**AWS, "buckets": {"logs": "a"}}, "buckets.logs: 'a': write a bucket's name"),
    ({**AWS, "buckets": {"logs": "x-s3alias"}}, "buckets.logs: 'x-s3alias': write a bucket's name"),
    ({**AWS, "buckets": {"logs": "my.logs"}}, "buckets.logs: 'my.logs': .* use hyphens"),
    ({**AWS, "buckets": {"log": "abc"}}, r"buckets.log: 'abc': unknown key; did you mean logs\?"),
    (
        {**AWS, "buckets": {"logs": "same", "traces": "same"}},
        "buckets.logs: 'same': objectStorage.buckets.traces has this bucket already",
    ),
    (aws_with(region="Frankfurt"), "aws.region: 'Frankfurt': write a region, such as eu-central-1"),
    (aws_with(kmsKeyArn="alias/otel"), "kmsKeyArn: 'alias/otel': write arn:aws:kms:"),
    (aws_with(kmsKeyArn=KEY.replace("central", "west")), "kmsKeyArn: .*buckets' own region, eu-central-1"),
    (aws_with(onDestroy="delete"), "onDestroy: 'delete': environment prod keeps its buckets"),
    (aws_with(onDestroy="never"), "onDestroy: 'never': choose 'keep' or 'delete'"),
    (aws_with(infrequentAccessAfter="7d"), "infrequentAccessAfter: '7d': .*whole days, here 30 at least"),
    (aws_with(infrequentAccessAfter="1000h"), "infrequentAccessAfter: '1000h': .*whole days"),
    (aws_with(backupsKept="12h"), "backupsKept: '12h': S3 counts in whole days"),
    (s3_with(endpoint="https://minio"), "s3.endpoint: 'https://minio': write host or host:port, without"),
    ({"provider": "s3"}, "s3.endpoint: not set: .*needs it, such as"),
    ({"provider": "s3"}, "s3.credentialsSecret: not set: name a Secret"),
    (s3_with(endpoint="s3.example.com", tls=False), "s3.tls: False: s3.example.com is outside the cluster"),
    (s3_with(tls=False, caSecret="ca"), "s3.caSecret: 'ca': of no use without"),
]


@pytest.mark.parametrize(("storage", "message"), REFUSALS)
def test_mistakes_are_told_with_what_to_do(storage: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Run(storage)


@pytest.mark.parametrize(
    "name", ["prod", "production", "eu-prod", "preprod", "prd", "live", "eu-live2", "live-a"]
)
def test_environments_named_like_production_never_delete_their_buckets(name: str) -> None:
    with pytest.raises(SettingsError, match=f"environment {name} keeps its buckets"):
        Run(aws_with(onDestroy="delete"), environment=name)


@pytest.mark.parametrize("name", ["dev", "staging", "delivery", "olive", "alice"])
def test_other_environments_may(name: str) -> None:
    run = Run(aws_with(onDestroy="delete"), environment=name)
    assert all(bucket.inputs["forceDestroy"] for bucket in run.of("Bucket").values())


def test_long_names_are_told_before_s3_refuses_them() -> None:
    with pytest.raises(SettingsError, match=r"buckets.alertmanager: .*letters, S3 takes 63: shorten"):
        Run({**AWS, "bucketPrefix": "a" * 30}, environment="e" * 25)


def test_plain_http_is_for_services_in_the_cluster() -> None:
    assert Run(s3_with(tls=False)).made[0].buckets["logs"].tls is False


def test_earlier_phases_need_no_object_storage() -> None:
    Settings.load({"phase": 1, "objectStorage": {}})


def aws_resources(**settings: Any) -> dict[str, Any]:
    """Give what the whole program makes on AWS, by type and name."""
    resources = run_program({"kubernetes": CLUSTER, "objectStorage": AWS, **settings}).resources
    return {f"{one.type} {one.name}": one.inputs for one in resources if one.type.startswith("aws:")}


def test_phase_three_keeps_the_buckets_that_the_settings_name() -> None:
    """Else the way back from phase 4 would delete them, which the engine refuses where they are kept."""
    before = aws_resources(phase=4)
    assert [name for name in before if name.startswith("aws:s3/bucket:")]
    assert aws_resources(phase=3) == before


@pytest.mark.parametrize(
    "settings",
    [
        {"phase": 2},
        {"objectStorage": S3},
        {"objectStorage": {"bucketPrefix": "acme-otel"}},
        {"objectStorage": {"aws": {"region": REGION}}},
    ],
    ids=["no cluster", "others' buckets", "no region", "no names"],
)
def test_phase_three_makes_no_buckets_but_those(settings: dict[str, Any]) -> None:
    assert aws_resources(**{"phase": 3, **settings}) == {}


def test_named_buckets_are_checked_in_phase_three_too() -> None:
    storage = {"bucketPrefix": "acme-otel", "aws": {"region": REGION}}
    with pytest.raises(SettingsError, match="clusterName"):
        Settings.load({"phase": 3, "kubernetes": CLUSTER, "objectStorage": storage})
    rendered = {
        "render": "deploy",
        "existingSecrets": {"grafana": "login"},
        "gitops": {"repository": "https://git.example.com/x.git"},
    }
    assert not Settings.load({"phase": 3, "kubernetes": rendered, "objectStorage": storage}).buckets_wait
