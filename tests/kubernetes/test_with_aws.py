"""Phase 4 with the buckets of AWS: both providers in one update, on a moto server and the real API server.

Its pods run in name only, on simulated nodes: nothing here gives pods a role's credentials.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.buckets.names import STORES
from tests.support.aws import BUCKETS, CLUSTER, OBJECT_STORAGE, REGION, Aws, server_with_cluster
from tests.support.cluster import Cluster
from tests.support.manifests import Tree
from tests.support.simulated import (
    NAME,
    all_placed,
    brought_up,
    expected_pods,
    on_simulated_nodes,
    simulated_nodes,
)
from tests.support.stack import Stack

NAMESPACE = "otel-stack-aws"
NODES = 6
PROGRAMS = {"tempo": "tempo", "mimir": "mimir", "loki": "loki-cluster", "backups": "postgres-backup"}
"""Store -> the program whose pods use its role."""


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with server_with_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def stack(kubernetes: Cluster, aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, up."""
    config = {
        "environment": "dev",
        "phase": 4,
        "sizing": {"preset": "small"},
        "objectStorage": OBJECT_STORAGE,
        "kubernetes": on_simulated_nodes(kubernetes, NAMESPACE),
    }
    folder = tmp_path_factory.mktemp("aws") / "stack"
    made = Stack(name="dev", folder=folder, config=config, variables=aws.environment)
    with simulated_nodes(kubernetes, NODES), brought_up(kubernetes, made, NAMESPACE):
        yield made


def pods(kubernetes: Cluster, program: str) -> list[dict[str, Any]]:
    selector = f"--selector={NAME}={program}"
    return list(kubernetes.get("pods", f"--namespace={NAMESPACE}", selector)["items"])


def test_pods_run_as_the_accounts_that_get_the_roles(stack: Stack, kubernetes: Cluster, aws: Aws) -> None:
    all_placed(kubernetes, NAMESPACE, expected_pods(kubernetes, NAMESPACE))
    outputs = stack.outputs()
    roles: dict[str, str] = json.loads(outputs["role_arns"])
    associated = aws.eks().describe_cluster(name=CLUSTER)["cluster"]["tags"]
    for store, program in PROGRAMS.items():
        accounts = {pod["spec"]["serviceAccountName"] for pod in pods(kubernetes, program)}
        given = {associated.get(f"pod-identity/{NAMESPACE}/{account}") for account in accounts}
        assert given == {roles[store]}, f"{program}: {accounts}"
    assert len(associated) == len(PROGRAMS)


def test_stores_write_to_the_buckets_that_were_made(stack: Stack, kubernetes: Cluster, aws: Aws) -> None:
    made = {bucket["Name"] for bucket in aws.s3().list_buckets()["Buckets"]}
    assert made == set(BUCKETS.values())
    assert json.loads(stack.outputs()["buckets"]) == BUCKETS
    found = Tree(objects=kubernetes.get("statefulsets,configmaps", f"--namespace={NAMESPACE}")["items"])
    for store, purposes in STORES.items():
        if store == "backups":
            continue
        text = "\n".join(found.files(found.program(PROGRAMS[store])).values())
        missing = [BUCKETS[purpose] for purpose in purposes if BUCKETS[purpose] not in text]
        assert not missing, f"{store}: {missing}"
        assert REGION in text


def test_nothing_changes_without_a_reason(stack: Stack) -> None:
    stack.preview("--expect-no-changes")


def test_destroy_leaves_volumes_and_takes_what_a_dev_stack_says(
    stack: Stack, kubernetes: Cluster, aws: Aws
) -> None:
    stack.destroy()
    assert not aws.s3().list_buckets()["Buckets"]
    assert not aws.eks().describe_cluster(name=CLUSTER)["cluster"].get("tags")
    claims = kubernetes.get("persistentvolumeclaims", f"--namespace={NAMESPACE}")["items"]
    assert {claim["metadata"]["labels"][NAME] for claim in claims} >= {"tempo", "mimir", "loki-cluster"}
