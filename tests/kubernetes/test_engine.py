"""Phase 3 through the real engine, without a cluster: previews, refusals, and manifests for Git."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.manifests import dump, identity, read, tree
from tests.support.program import STACK, run_program
from tests.support.stack import Stack
from tests.support.variants import CLUSTER_VARIANTS

SMALL, EVERYTHING, RENDER = "phase3-small", "phase3-everything-set", "phase3-render"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "down", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "operator", "user": {"token": "none"}}],
    "contexts": [{"name": "down", "context": {"cluster": "down", "user": "operator"}}],
    "current-context": "down",
}
"""Valid, of a cluster that does not answer."""


def new_stack(folder: Path, config: dict[str, Any]) -> Stack:
    """A stack whose surroundings lead to a cluster that is not the one of its settings."""
    other = folder.parent / "kubeconfig"
    other.write_text("this is no kubeconfig: whoever reads it fails")
    return Stack(name=STACK, folder=folder, config=config, variables={"KUBECONFIG": str(other)})


def steps(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.preview("--json").output)["steps"]
    return found


def kind(step: dict[str, Any]) -> str:
    return str(step["newState"]["type"])


@pytest.mark.parametrize("kubeconfig", [None, KUBECONFIG], ids=["no-file", "nothing-listens"])
@pytest.mark.parametrize("name", [SMALL, EVERYTHING])
def test_preview_needs_no_cluster(name: str, kubeconfig: dict[str, Any] | None, tmp_path: Path) -> None:
    config = CLUSTER_VARIANTS[name]
    if kubeconfig is not None:
        file = tmp_path / "of-the-settings"
        file.write_text(yaml.safe_dump(kubeconfig))
        section = {"kubeconfig": str(file), "context": kubeconfig["current-context"]}
        config = {**config, "kubernetes": {**config["kubernetes"], **section}}
    stack = new_stack(tmp_path / "stack", config)
    found = steps(stack)
    assert {step["op"] for step in found} == {"create"}
    registered = Counter(resource.type for resource in run_program(config).resources)
    planned = Counter(map(kind, found))
    assert {one: planned[one] for one in registered if "kubernetes:" in one} == {
        one: number for one, number in registered.items() if "kubernetes:" in one
    }
    for step in found:
        if kind(step).startswith("kubernetes:"):
            assert "::default" not in step["newState"]["provider"], step["urn"]
    again = {step["urn"]: written(step) for step in steps(stack)}
    assert {step["urn"]: written(step) for step in found} == again


def written(step: dict[str, Any]) -> str:
    """Write a step's inputs, without what the provider draws for a name that is not used yet."""
    text = json.dumps(step["newState"].get("inputs", {}), sort_keys=True)
    return re.sub(r"-(config|secrets)-[0-9a-f]{8}\b", r"-\1", text)


def test_default_providers_may_be_forbidden(tmp_path: Path) -> None:
    stack = new_stack(tmp_path / "stack", CLUSTER_VARIANTS[SMALL])
    option, path = stack._config_file(stack.config)
    content = yaml.safe_load(Path(path).read_text())
    content["config"]["pulumi:disable-default-providers"] = ["kubernetes"]
    Path(path).write_text(yaml.safe_dump(content))
    stack.run("preview", option, path)


def test_up_without_a_cluster_says_so(tmp_path: Path) -> None:
    ended = new_stack(tmp_path / "stack", CLUSTER_VARIANTS[SMALL]).up(check=False)
    assert ended.status != 0
    assert "/nonexistent/kubeconfig" in ended.text
    assert "Traceback" not in ended.text


def test_wrong_settings_fail_before_any_resource(tmp_path: Path) -> None:
    stack = new_stack(tmp_path / "stack", {"phase": 3, "kubernetes": {"exposure": {"type": "Ingress"}}})
    ended = stack.up(check=False)
    assert ended.status != 0
    assert "Traceback" not in ended.text
    assert "4 settings are wrong" in ended.text
    for key in ("kubeconfig", "context", "exposure.otlpGrpcHost", "exposure.otlpHttpHost"):
        assert f"kubernetes.{key}: " in ended.text
    assert [found for found in stack.resources() if not found.startswith("pulumi:pulumi:Stack")] == []


def test_rendered_files_are_the_objects(tmp_path: Path) -> None:
    """Twice, on two states that know nothing of each other: the same files, byte for byte."""
    texts: list[dict[str, str]] = []
    for number in (1, 2):
        folder = tmp_path / f"rendered-{number}"
        config = dict(CLUSTER_VARIANTS[RENDER])
        config["kubernetes"] = {**config["kubernetes"], "render": str(folder)}
        stack = new_stack(tmp_path / f"stack-{number}", config)
        stack.preview()
        assert not folder.exists(), "a preview writes nothing"
        stack.up()
        stack.preview("--expect-no-changes")
        texts.append({str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*.yaml")})
        expected = tree(run_program(config), config).objects
        found = read(folder)
        assert sorted(map(identity, found)) == sorted(map(identity, expected))
        assert dump(found) == dump(expected)
    assert texts[0] == texts[1]
