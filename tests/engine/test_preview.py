"""What the engine does without a Docker Engine: previews, and refusals of wrong settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.buckets.aws import PREVIEWED_WITHOUT
from ops.project import ROOT
from tests.support.lab import plugin_folder, toolchain
from tests.support.phase1 import PROGRAMS
from tests.support.program import CONTAINER
from tests.support.stack import COMMAND_SECONDS, Stack

COMMITTED = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
CHECKED_OUT = ("Pulumi.yaml", "Pulumi.*.yaml", "__main__.py", "components", "configs", "ops")

LOCKED = "v1:c2FsdCBvZiBzb21lYm9keQ==:v1:bm9uY2UgMTIgYnl0:c2VhbGVkIGJ5IHNvbWVib2R5IGVsc2U="
NOWHERE = {"host": "unix:///nonexistent/docker.sock"}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(name="preview", folder=tmp_path / "stack", config={"docker": NOWHERE})


def test_preview_needs_no_docker_engine(stack: Stack) -> None:
    plan = stack.plan()
    assert set(plan.values()) == {"create"}
    assert {f"{CONTAINER} {name}" for name in PROGRAMS} <= plan.keys()


def test_up_without_a_docker_engine_says_so(stack: Stack) -> None:
    ended = stack.up(check=False)
    assert ended.status != 0
    assert "/nonexistent/docker.sock" in ended.text
    assert "Traceback" not in ended.text


def test_wrong_settings_fail_before_any_resource(stack: Stack) -> None:
    wrong = {"enviroment": "dev", "retention": {"traces": "a week"}, "grafana": {"port": 4317}}
    ended = stack.up(wrong, check=False)
    assert ended.status != 0
    assert "Traceback" not in ended.text
    assert "3 settings are wrong" in ended.text
    for mistake in ("did you mean environment", "retention.traces", "grafana.port: 4317"):
        assert mistake in ended.text
    assert [found for found in stack.resources() if not found.startswith("pulumi:pulumi:Stack")] == []


@pytest.mark.parametrize("name", COMMITTED)
def test_the_workflow_previews_every_committed_stack_without_any_account(name: str, tmp_path: Path) -> None:
    """Run its script as it stands, in a checkout of the program, with no credentials and no cluster.

    The stack's file has a salt and a secret of a passphrase that nobody here knows.
    """
    checkout, home, temporary = (tmp_path / folder for folder in ("checkout", "home", "runner"))
    for folder in (checkout, home / ".pulumi", temporary):
        folder.mkdir(parents=True)
    (home / ".pulumi" / "plugins").symlink_to(plugin_folder())
    for path in (found for pattern in CHECKED_OUT for found in ROOT.glob(pattern)):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, checkout / path.name)
    file = checkout / f"Pulumi.{name}.yaml"
    content = yaml.safe_load(file.read_text())
    content["encryptionsalt"] = LOCKED
    content["config"]["team:token"] = {"secure": LOCKED}
    file.write_text(yaml.safe_dump(content))
    (checkout / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "preview.yml").read_text())["jobs"]
    step = next(one for one in jobs["preview"]["steps"] if one.get("id") == "preview")
    variables = {key: text.replace("${{ runner.temp }}", str(temporary)) for key, text in step["env"].items()}
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=checkout,
        env={
            **{key: text for key, text in os.environ.items() if not key.startswith(("AWS_", "PULUMI_"))},
            **toolchain(),
            "HOME": str(home),
            "RUNNER_TEMP": str(temporary),
            "STACK": name,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shown = (temporary / "preview" / f"{name}.txt").read_text()
    assert f"pulumi:pulumi:Stack otel-stack-{name} create" in shown
    assert (PREVIEWED_WITHOUT in shown) == (name == "prod")
