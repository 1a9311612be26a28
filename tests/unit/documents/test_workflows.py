"""The workflows of the repository's host: what they run, what they may do, whose code they trust."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.documents import FENCE

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
CI_COMMAND = ROOT / ".ci" / "run"

PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
NAMED_PIN = re.compile(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
WRITE_RIGHTS = {("preview-comment.yml", "comment"): {"actions": "read", "pull-requests": "write"}}
"""Jobs that may do more than read the repository, and what."""


def read(path: Path) -> dict[Any, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def triggers(workflow: Mapping[Any, Any]) -> dict[str, Any]:
    """The events that start a workflow, and which of them; YAML 1.1 reads the key ``on`` as true."""
    return dict(workflow[True])


def steps(workflow: Mapping[Any, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def test_the_expected_workflows_are_there() -> None:
    assert [path.name for path in FILES] == ["drills.yml", "preview-comment.yml", "preview.yml", "test.yml"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestEveryWorkflow:
    def test_actions_are_pinned_by_commit_and_say_their_version(self, path: Path) -> None:
        used = [step["uses"] for step in steps(read(path)) if "uses" in step]
        assert [one for one in used if not PINNED.fullmatch(one)] == []
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
        assert [line for line in lines if not NAMED_PIN.search(line)] == []

    def test_one_action_has_one_version_everywhere(self, path: Path) -> None:
        everywhere = {step["uses"] for other in FILES for step in steps(read(other)) if "uses" in step}
        for step in steps(read(path)):
            name = step.get("uses", "").split("@")[0]
            assert len([one for one in everywhere if one.split("@")[0] == name]) <= 1

    def test_rights_are_the_least(self, path: Path) -> None:
        workflow = read(path)
        assert workflow["permissions"] in ({}, {"contents": "read"})
        for name, job in workflow["jobs"].items():
            assert job.get("permissions", {}) == WRITE_RIGHTS.get((path.name, name), {})

    def test_no_code_of_others_runs_with_rights_or_secrets(self, path: Path) -> None:
        workflow = read(path)
        text = path.read_text(encoding="utf-8")
        assert "pull_request_target" not in triggers(workflow)
        assert "secrets." not in text
        if "workflow_run" in triggers(workflow):
            assert "actions/checkout@" not in text
            assert not any("run" in step for step in steps(workflow))

    def test_a_checkout_leaves_no_token_behind(self, path: Path) -> None:
        for step in steps(read(path)):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False

    def test_no_expression_is_pasted_into_a_script(self, path: Path) -> None:
        for step in steps(read(path)):
            assert "${{" not in step.get("run", "")
            assert "${{" not in step.get("with", {}).get("script", "")

    def test_jobs_end_by_themselves(self, path: Path) -> None:
        for job in read(path)["jobs"].values():
            assert job["timeout-minutes"] <= (360 if path.name == "drills.yml" else 90)


@pytest.mark.parametrize("name", ["preview.yml", "test.yml"])
def test_a_run_cancels_only_older_runs_of_the_same_pull_request_or_branch(name: str) -> None:
    concurrency = read(ROOT / ".github" / "workflows" / name)["concurrency"]
    assert concurrency["cancel-in-progress"] is True
    assert "github.event.pull_request.number" in concurrency["group"]
    assert "head_ref" not in concurrency["group"], "a branch of two forks may have the same name"


def test_a_push_runs_what_a_hosted_machine_can_and_the_one_command_where_the_lab_can_be() -> None:
    workflow = read(ROOT / ".github" / "workflows" / "test.yml")
    assert "push" in triggers(workflow)
    runs = {name: job["steps"][-1]["run"] for name, job in workflow["jobs"].items()}
    assert runs == {"unit": 'sudo -E env "PATH=$PATH" make lint test-unit', "all": ".ci/run"}
    everything = workflow["jobs"]["all"]
    assert everything["runs-on"] == ["self-hosted", "debian-12"]
    assert "github.event_name == 'push'" in everything["if"], "a fork's code must not run there"


def test_all_drills_run_each_week_and_by_hand_on_a_machine_with_the_lab() -> None:
    workflow = read(ROOT / ".github" / "workflows" / "drills.yml")
    assert set(triggers(workflow)) == {"schedule", "workflow_dispatch"}
    (job,) = workflow["jobs"].values()
    assert job["runs-on"] == ["self-hosted", "debian-12"]
    assert job["steps"][-1]["run"] == '.ci/run drills "DRILLS=$DRILLS"'
    parts = [path for part in job["strategy"]["matrix"]["drills"] for path in part.split()]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (whole,) = re.findall(r"^DRILLS := (.+)$", makefile, re.MULTILINE)
    phases = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "e2e").glob("phase*"))
    assert parts == [*phases, *whole.removeprefix("tests/e2e ").split()]


def test_drills_have_what_they_need_and_skip_nothing() -> None:
    command = ["make", "--dry-run", "--assume-old=.venv/.installed", "drills", "DRILLS=tests/e2e/phase3"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.removeprefix(".venv/bin/python -m ") for line in lines] == [
        "tests.lab prepare",
        "tests.lab operators",
        "CI=true .venv/bin/python -m pytest tests/e2e/phase3 --drills",
    ]


@pytest.mark.parametrize("arguments", [[], ["drills", "DRILLS=tests/e2e/phase1 tests/e2e/phase2"]])
@pytest.mark.parametrize("status", [0, 2])
def test_the_one_command_is_what_people_type(arguments: list[str], status: int, tmp_path: Path) -> None:
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\nprintf "%s|" "$CI" "$OTEL_STACK_LAB" "$@"\nexit {status}\n')
    make.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ended = subprocess.run(
        [CI_COMMAND, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == status
    expected = "|".join(["true", "always", *(arguments or ["test"]), ""])
    assert expected in ended.stdout, "without the lab CI fails on an open network"
    assert f"make {' '.join(arguments or ['test'])}: exit status {status} after" in ended.stdout


def test_every_pull_request_previews_every_stack() -> None:
    workflow = read(ROOT / ".github" / "workflows" / "preview.yml")
    assert set(triggers(workflow)) == {"pull_request"}
    assert workflow["jobs"]["preview"]["strategy"]["matrix"]["stack"] == (
        "${{ fromJSON(needs.stacks.outputs.names) }}"
    )
    assert any(step.get("uses", "").startswith("pulumi/actions@") for step in steps(workflow))
    commands = "\n".join(step.get("run", "") for step in steps(workflow))
    assert 'pulumi preview --stack "$STACK"' in commands
    unlocked = commands.index('-m ops unlocked --stack "$STACK"')
    assert unlocked < commands.index("pulumi stack init"), "a committed salt wants its own passphrase"


@pytest.mark.parametrize(
    ("token", "expected"),
    [("", "preview --stack dev --non"), ("pul-1", "preview --stack my-organization/otel-stack/dev --diff")],
    ids=["of-a-fork-or-dependabot", "of-a-branch"],
)
def test_the_documented_preview_reads_our_backend_if_there_is_a_token(
    token: str, expected: str, tmp_path: Path
) -> None:
    document = (ROOT / "docs" / "teams.md").read_text(encoding="utf-8")
    (snippet,) = [one for one in FENCE.findall(document) if "PULUMI_ACCESS_TOKEN" in one]
    (step,) = yaml.safe_load("\n".join(snippet.splitlines()[1:-1]))
    for name in ("pulumi", ".venv/bin/python"):
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text('#!/bin/sh\necho "$@"\n')
        program.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(tmp_path),
        "STACK": "dev",
        "PULUMI_ACCESS_TOKEN": token,
    }
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "preview" / "dev.txt").read_text().startswith(expected)


def test_the_comment_follows_the_preview() -> None:
    preview = read(ROOT / ".github" / "workflows" / "preview.yml")
    comment = read(ROOT / ".github" / "workflows" / "preview-comment.yml")
    assert triggers(comment)["workflow_run"]["workflows"] == [preview["name"]]
