"""Settings of object storage: names of buckets, what is refused, and in which phases buckets are made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.buckets.names import PURPOSES, bucket_names
from components.settings import Settings, SettingsError
from tests.support.object_storage import AWS, CLUSTER, KEY, REGION, S3, StorageRun, aws_with
from tests.support.program import run_program


@given(
    prefix=st.from_regex(r"\A[a-z0-9][a-z0-9-]{1,19}\Z").filter(
        lambda text: not text.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
    ),
    environment=st.from_regex(r"\A[a-z]([a-z0-9-]{0,19}[a-z0-9])?\Z").filter(lambda text: text != "prod"),
)
def test_names_are_valid_unique_and_always_the_same(prefix: str, environment: str) -> None:
    config = {"phase": 4, "environment": environment, "kubernetes": CLUSTER}
    settings = Settings.load({**config, "objectStorage": {**AWS, "bucketPrefix": prefix}})
    names = bucket_names(settings.object_storage, settings.environment)
    assert len(set(names.values())) == len(PURPOSES)
    assert names == bucket_names(settings.object_storage, settings.environment)
    assert all(3 <= len(name) <= 63 and name == name.lower() for name in names.values())


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
    ({**AWS, "buckets": {"logs": "acme-an"}}, "buckets.logs: 'acme-an': S3 keeps names that end in -an"),
    ({**AWS, "buckets": {"log": "abc"}}, r"buckets.log: 'abc': unknown key; did you mean logs\?"),
    (
        {**AWS, "buckets": {"logs": "same", "traces": "same"}},
        "buckets.logs: 'same': objectStorage.buckets.traces has this bucket",
    ),
    (aws_with(region="Frankfurt"), "aws.region: 'Frankfurt': write a region, such as eu-central-1"),
    (aws_with(kmsKeyArn="alias/otel"), "kmsKeyArn: 'alias/otel': write arn:aws:kms:"),
    (aws_with(kmsKeyArn=KEY.replace("central", "west")), "kmsKeyArn: .*buckets' own region, eu-central-1"),
    (aws_with(onDestroy="delete"), "onDestroy: 'delete': environment prod keeps its buckets"),
    (aws_with(onDestroy="never"), "onDestroy: 'never': choose 'keep' or 'delete'"),
    (aws_with(infrequentAccessAfter="7d"), "infrequentAccessAfter: '7d': .*whole days, here at least 30"),
    (aws_with(infrequentAccessAfter="1000h"), "infrequentAccessAfter: '1000h': .*whole days"),
    (aws_with(backupsKept="12h"), "backupsKept: '12h': S3 counts in whole days"),
    (s3_with(endpoint="https://minio"), "s3.endpoint: 'https://minio': write host or host:port, without"),
    (s3_with(endpoint="s3.storage.svc:99999"), "s3.endpoint: 's3.storage.svc:99999': .* port up to 65535"),
    ({"provider": "s3"}, "s3.endpoint: not set: .*needs it, such as"),
    ({"provider": "s3"}, "s3.credentialsSecret: not set: name a Secret"),
    (
        s3_with(credentialsSecret=None, storeSecrets={"tempo": "s3-tempo", "mimir": "s3-mimir"}),
        r"s3.credentialsSecret: not set: .* or objectStorage\.s3\.storeSecrets for each of backups, loki$",
    ),
    (s3_with(endpoint="s3.example.com", tls=False), "s3.tls: False: s3.example.com is outside the cluster"),
    (s3_with(tls=False, caSecret="ca"), "s3.caSecret: 'ca': has no effect without"),
]


@pytest.mark.parametrize(("storage", "message"), REFUSALS)
def test_mistakes_are_told_with_what_to_do(storage: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        StorageRun(storage)


@pytest.mark.parametrize("storage", [AWS, S3], ids=["aws", "s3"])
@pytest.mark.parametrize(
    "name",
    [
        "192.168.5.4",
        "acme..logs",
        "acme.-logs",
        "acme-.logs",
        "xn--acme",
        "sthree-acme",
        "amzn-s3-demo-acme",
        "acme-s3alias",
        "acme--ol-s3",
        "acme.mrap",
        "acme--use1-az4--x-s3",
        "acme--table-s3",
        "a" * 64,
        "acme\n",
    ],
)
def test_names_that_s3_does_not_take_are_refused(name: str, storage: dict[str, Any]) -> None:
    """As AWS's "General purpose buckets naming rules" have it, and the stores' client of S3."""
    with pytest.raises(SettingsError, match=r"objectStorage\.buckets\.logs: .*: write a bucket's name"):
        StorageRun({**storage, "buckets": {"logs": name}})


@pytest.mark.parametrize(
    "name", ["acme.logs", "1.2.3", "192.168.5.4-logs", "acme-xn--logs", "x-s3", "acme-an", "a" * 63]
)
def test_other_names_are_taken(name: str) -> None:
    run = StorageRun({**S3, "buckets": {"logs": name}})
    assert run.made[0].buckets["logs"].name == name


@pytest.mark.parametrize(
    "name", ["prod", "production", "eu-prod", "preprod", "prd", "live", "eu-live2", "live-a"]
)
def test_environments_named_like_production_never_delete_their_buckets(name: str) -> None:
    with pytest.raises(SettingsError, match=f"environment {name} keeps its buckets"):
        StorageRun(aws_with(onDestroy="delete"), environment=name)


@pytest.mark.parametrize("name", ["dev", "staging", "delivery", "olive", "alice"])
def test_other_environments_may(name: str) -> None:
    run = StorageRun(aws_with(onDestroy="delete"), environment=name)
    assert all(bucket.inputs["forceDestroy"] for bucket in run.of("Bucket").values())


def test_long_names_are_told_before_s3_refuses_them() -> None:
    with pytest.raises(SettingsError, match=r"buckets.alertmanager: .*letters, S3 allows 63: shorten"):
        StorageRun({**AWS, "bucketPrefix": "a" * 30}, environment="e" * 25)


def test_plain_http_is_for_services_in_the_cluster() -> None:
    assert StorageRun(s3_with(tls=False)).made[0].buckets["logs"].tls is False


def test_nothing_is_backed_up_for_an_external_database() -> None:
    stores = {store: f"s3-{store}" for store in ("tempo", "mimir", "loki")}
    postgres = {"mode": "external", "host": "db.example.com", "passwordSecret": "db"}
    made = StorageRun(s3_with(credentialsSecret=None, storeSecrets=stores), postgres=postgres).made[0]
    assert made.buckets["backups"].credentials_secret is None


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
