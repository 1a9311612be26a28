"""Production's committed file, previewed by somebody who has neither credentials for AWS nor a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from components.buckets.aws import PREVIEWED_WITHOUT
from components.buckets.names import PURPOSES
from ops.project import ROOT
from tests.support.aws import no_credentials, server
from tests.support.stack import Stack

PROVIDER = "pulumi:providers:aws object-storage-aws"


@pytest.fixture
def nobody(tmp_path: Path) -> dict[str, str]:
    return no_credentials(tmp_path / "home")


def production(folder: Path, variables: Mapping[str, str]) -> Stack:
    committed = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    config = {key.partition(":")[2]: value for key, value in committed.items()}
    return Stack(name="prod", folder=folder, config=config, variables=variables)


def test_a_new_stack(tmp_path: Path, nobody: Mapping[str, str]) -> None:
    plan = production(tmp_path / "stack", nobody).plan()
    assert set(plan.values()) == {"create"}
    assert len([step for step in plan if step.startswith("aws:s3/bucket:")]) == len(PURPOSES)
    assert len([step for step in plan if step.startswith("kubernetes:apps/v1:StatefulSet")]) > len(PURPOSES)


def test_a_stack_whose_buckets_are_there(tmp_path: Path, nobody: Mapping[str, str]) -> None:
    """Of what is there, the provider alone is shown as changed, and a change that is asked for still is."""
    with server() as aws:
        stack = production(tmp_path / "stack", aws.environment)
        aws.make_cluster(stack.config["objectStorage"]["aws"]["clusterName"])
        stack.up(targets=["**ObjectStorage**"])
    made = set(stack.resources())
    assert len([one for one in made if one.startswith("aws:s3/bucket:")]) == len(PURPOSES)
    stack.variables = nobody
    assert PREVIEWED_WITHOUT in stack.preview().text
    plan = stack.plan()
    assert {step: plan[step] for step in plan.keys() & made} == {PROVIDER: "update"}
    longer = stack.plan({"retention": {**stack.config["retention"], "traces": "90d"}})
    tiered = (
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration object-storage-traces-lifecycle"
    )
    assert {step: longer[step] for step in longer.keys() & made} == {PROVIDER: "update", tiered: "update"}


def test_an_update_is_refused(tmp_path: Path, nobody: Mapping[str, str]) -> None:
    refused = production(tmp_path / "stack", nobody).up(targets=["**ObjectStorage**"], check=False)
    assert refused.status != 0
    assert "No valid credential sources found" in refused.text
    assert "Traceback" not in refused.text
