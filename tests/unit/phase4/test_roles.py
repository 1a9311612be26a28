"""Phase 4 on AWS: which pods get which store's role, by EKS Pod Identity or by IRSA, and which get none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

import pytest

from tests.support.made import annotations_of
from tests.support.manifests import Manifest, Tree, name_of, tree
from tests.support.phase4 import objects_of
from tests.support.program import Result, run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

USES = {"tempo.yaml": "tempo", "mimir.yaml": "mimir", "loki-cluster.yaml": "loki", "aws-config": "backups"}
"""Configuration of a program that uses a bucket -> the store whose role it needs."""

ROLE = "arn:aws:iam::123456789012:role/object-storage-{}"
ANNOTATIONS = {"podIdentity": "otel-stack.io/associated-role", "irsa": "eks.amazonaws.com/role-arn"}
BY_ACCESS = {"podIdentity": "phase4-aws", "irsa": "phase4-irsa"}


@cache
def stack_on_aws(access: str, shape: str) -> tuple[Result, Tree]:
    config = {**OBJECT_VARIANTS[BY_ACCESS[access]], "stores": {"shape": shape}}
    result = run_program(config)
    return result, tree(result, config)


def users(found: Tree) -> dict[str, str]:
    """Give every program that uses a bucket, and its store."""
    return {
        program.name: store
        for program in found.programs()
        for file, store in USES.items()
        if file in found.files(program)
    }


def annotated(objects: Mapping[str, Manifest], access: str) -> dict[str, str]:
    """Give the role of each object that names one."""
    found = {name: annotations_of(one).get(ANNOTATIONS[access]) for name, one in objects.items()}
    return {name: role for name, role in found.items() if role is not None}


def accounts(found: Tree) -> dict[str, Manifest]:
    """Give the service accounts by name."""
    return {name_of(one): one for one in found.of("ServiceAccount")}


def trusted(result: Result, store: str) -> list[str]:
    """Give the service accounts that may assume a store's role, however they prove who they are."""
    (role,) = (one for one in result.of("aws:iam/role:Role") if one.name == f"object-storage-{store}")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    (condition,) = statement["Condition"].values()
    (found,) = (value for value in condition.values() if isinstance(value, list))
    return [name.removeprefix("system:serviceaccount:observability:") for name in found]


each_way_on_aws = pytest.mark.parametrize(
    ("access", "shape", "count"),
    [(access, *shape) for access in ANNOTATIONS for shape in (("single", 4), ("split", 13))],
)


@each_way_on_aws
def test_every_part_of_a_store_has_its_role_and_nothing_else_has_one(
    access: str, shape: str, count: int
) -> None:
    result, found = stack_on_aws(access, shape)
    roles = {name: ROLE.format(store) for name, store in users(found).items()}
    assert len(roles) == count
    assert annotated(accounts(found), access) == roles
    associated = {
        one.inputs["serviceAccount"]: (one.inputs["namespace"], one.inputs["roleArn"])
        for one in result.of("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    }
    expected = {name: ("observability", role) for name, role in roles.items()}
    assert associated == (expected if access == "podIdentity" else {})
    for program in found.programs():
        assert program.pod["serviceAccountName"] == program.name
        assert "AWS_SHARED_CREDENTIALS_FILE" not in program.environment()


@each_way_on_aws
def test_a_role_trusts_every_part_of_its_store_and_nobody_else(access: str, shape: str, count: int) -> None:
    result, found = stack_on_aws(access, shape)
    pairs = [(name, store) for store in USES.values() for name in trusted(result, store)]
    assert sorted(pairs) == sorted(users(found).items())
    assert len(pairs) == count


@each_way_on_aws
def test_pods_roll_with_the_role_of_their_account_and_with_how_they_get_it(
    access: str, shape: str, count: int
) -> None:
    """Its credentials are chosen when a pod is made, and those that it has then stay its own."""
    _, found = stack_on_aws(access, shape)
    rolled = annotated({one.name: one.template for one in found.programs()}, access)
    assert set(rolled.values()) == {ROLE.format(store) for store in USES.values()}
    assert rolled == annotated(accounts(found), access)
    assert len(rolled) == count


@pytest.mark.parametrize(("variant", "opened"), [("phase4-aws", {80, 443}), ("phase4-irsa", {443})])
def test_the_agents_port_is_open_only_where_it_hands_out_roles(variant: str, opened: set[int]) -> None:
    found = objects_of(variant)
    for store in ("tempo", "loki-cluster", "postgres-backup"):
        policy = next(
            one for one in found.of("NetworkPolicy") if one["metadata"]["name"] == f"{store}-egress"
        )
        outside = [rule for rule in policy["spec"]["egress"] if "to" not in rule]
        assert {port["port"] for rule in outside for port in rule["ports"]} - {53} == opened, store
