"""What the engine does without a Docker Engine: previews, and refusals of wrong settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.phase1 import PROGRAMS
from tests.support.program import CONTAINER
from tests.support.stack import Stack

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
