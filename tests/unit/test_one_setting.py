"""Each setting on its own: what it replaces on a running stack, and that it leaves everything else alone."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.program import CONTAINER, ROOT, VOLUME, Result, run_program, unwrapped
from tests.support.setting_changes import AWS, CHANGES, ELSEWHERE, Change
from tests.support.setting_changes_phase4 import OBJECT_CHANGES

ALL_CHANGES = (*CHANGES, *OBJECT_CHANGES)


@pytest.mark.parametrize("change", ALL_CHANGES, ids=lambda one: f"{one.of}-{next(iter(one.keys))}")
def test_a_setting_replaces_its_programs_and_nothing_else(change: Change) -> None:
    given = _given(change.of, json.dumps(change.given))
    before, after = _stack(json.dumps(given)), _stack(json.dumps(_with(given, change.keys)))
    assert _kept(after) == _kept(before)
    differing = {
        name: (before.get(name), after.get(name))
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }
    replaced = {owner for (owner, _), pair in differing.items() if _pods(pair[0]) != _pods(pair[1])}
    assert replaced == set(change.replaced.split())
    assert {owner for owner, _ in differing} - replaced == set(change.touched.split()) - replaced


def test_another_machine_makes_the_same_stacks(tmp_path: Path) -> None:
    """Somebody else's home, locale, time zone, folder and order of sets, with programs of theirs set up."""
    strange = {
        "HOME": str(tmp_path),
        "USER": "somebody",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(ROOT),
        "KUBECONFIG": "/elsewhere",
        "DOCKER_HOST": "tcp://elsewhere:2375",
        "AWS_REGION": "us-east-1",
        "AWS_PROFILE": "elsewhere",
    }
    stacks = ("staging", "prod")
    script = f"from {__name__} import written; print(*map(written, {stacks}))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=strange, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [written(stack) for stack in stacks]


def written(stack: str) -> str:
    """Hash everything that a stack of the repository registers."""
    found = sorted(_stack(json.dumps(_given(stack, json.dumps(AWS)))).items())
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def test_every_setting_is_changed_here_or_elsewhere() -> None:
    rows = re.findall(r"^\| `([\w.<>]+)` \|", (ROOT / "docs/settings.md").read_text("utf-8"), re.MULTILINE)
    documented = {key for key in rows if "<" not in key}
    assert len(documented) > 150
    changed = {key for change in ALL_CHANGES for key in change.keys}
    assert documented - changed - ELSEWHERE.keys() == set()
    assert {key for key in changed | ELSEWHERE.keys() if not key.startswith("sizing.")} <= documented
    assert not changed & ELSEWHERE.keys()


Stack = Mapping[tuple[str, str], Mapping[str, Any]]
"""What a program registers, by the program of the stack that it belongs to, and by type and name."""


@cache
def _stack(config: str) -> Stack:
    return dict(_resources(run_program(json.loads(config))))


def _resources(result: Result) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    for resource in result.resources:
        inputs = unwrapped(resource.inputs)
        name = re.sub(r"-config-[0-9a-f]{8}$", "-config", resource.name)
        if resource.type in (CONTAINER, VOLUME):
            owner = re.sub(r"(-\d+)?(-ready|-config|-owner)?$", "", name)
        else:
            labels = inputs.get("metadata", {}).get("labels", {})
            owner = labels.get("app.kubernetes.io/name", name)
        yield (owner, f"{resource.type} {name}"), inputs


def _pods(inputs: Mapping[str, Any] | None) -> object:
    """What of a resource makes containers or pods be replaced, the text of configuration files included."""
    if inputs is None:
        return None
    if "uploads" in inputs or "data" in inputs or "stringData" in inputs:
        return inputs.get("uploads") or inputs.get("data") or inputs["stringData"]
    if "image" in inputs:
        return inputs
    spec = inputs.get("spec", {})
    return spec.get("template") or {key: spec[key] for key in ("storage", "kafka") if key in spec} or None


def _kept(stack: Stack) -> object:
    """What no setting may change: passwords, volumes, networks, what is remembered, what never changes."""
    fixed = ("selector", "serviceName", "podManagementPolicy", "clusterIP", "roleRef")
    return {
        "passwords and volumes": {
            name: inputs
            for name, inputs in stack.items()
            if re.match(r"random:|pulumi:index:Stash|docker:index/network|aws:s3/bucket:", name[1])
            or (name[1].startswith(VOLUME) and not name[1].endswith("-config"))
        },
        "cannot be changed": {
            name: [inputs["spec"].get(key) for key in fixed]
            for name, inputs in stack.items()
            if name[1].startswith(("kubernetes:apps/", "kubernetes:core/v1:Service "))
            and not name[1].endswith("-external")
        },
    }


def _given(stack: str, more: str) -> dict[str, Any]:
    """Read a stack file, with more settings by key."""
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    found = {key.removeprefix("otel-stack:"): value for key, value in config.items()}
    return _with(found, json.loads(more))


def _with(config: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(config))
    for key, value in keys.items():
        *sections, last = key.split(".")
        section = found
        for name in sections:
            section = section.setdefault(name, {})
        section[last] = value
    return found
