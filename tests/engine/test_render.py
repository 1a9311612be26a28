"""Manifests for Git through the engine itself: no cluster, no state, the same files each time."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.platform.manifests.scope import FIRST_APPLIED
from ops.project import ROOT
from ops.render.gitops import ARGO_CD, FLUX
from ops.render.manifests import render
from tests.support.kubeconform import kubeconform
from tests.support.lab import toolchain

STACK = """
config:
  otel-stack:phase: 3
  otel-stack:environment: git
  otel-stack:kubernetes:
    namespace: telemetry
    existingSecrets: {grafana: grafana-login}
    gitops: {repository: "https://git.example.com/platform.git"}
"""
BUCKETS = """\
  otel-stack:objectStorage:
    provider: s3
    bucketPrefix: acme
    s3: {endpoint: s3.example.com, credentialsSecret: object-storage}
  otel-stack:postgres: {passwordSecret: grafana-database}
"""
STACKS = {3: STACK, 4: STACK.replace("phase: 3", "phase: 4") + BUCKETS}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of this program with a stack of its own."""
    toolchain()
    folder = tmp_path / "checkout"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if not entry.name.startswith("Pulumi."):
            (folder / entry.name).symlink_to(entry)
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (folder / "Pulumi.git.yaml").write_text(STACK)
    (tmp_path / "kubeconfig").write_text("this is no kubeconfig: whoever reads it fails")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    return folder


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def objects(rendered: dict[str, str]) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for name, text in rendered.items() if name.startswith("manifests/")]


def in_order_of_application(folder: Path) -> list[dict[str, Any]]:
    """Give the objects as ``kubectl apply -R`` takes them: by the names of folders and files."""
    return [yaml.safe_load(path.read_text()) for path in sorted(folder.rglob("*.yaml"))]


def test_rendering_is_whole_and_the_same_each_time(checkout: Path) -> None:
    target = checkout / "rendered"
    first = files(render("git", target, checkout))
    kinds = {manifest["kind"] for manifest in objects(first)}
    assert {"Namespace", "Deployment", "StatefulSet", "Service", "NetworkPolicy", "ConfigMap"} <= kinds
    assert "Secret" not in kinds
    assert {f"gitops/{ARGO_CD}", f"gitops/{FLUX}"} < first.keys()
    assert yaml.safe_load(first[f"gitops/{ARGO_CD}"])["spec"]["source"]["path"] == "rendered/manifests"
    assert files(render("git", target, checkout)) == first
    assert [entry.name for entry in target.iterdir() if entry.name.startswith(".")] == []


def test_the_namespace_comes_before_what_is_in_it(checkout: Path) -> None:
    """So that an empty cluster takes everything at once. Earlier renderings had it among the others."""
    manifests = render("git", checkout / "rendered", checkout) / "manifests"
    applied = in_order_of_application(manifests)
    assert [one["metadata"]["name"] for one in applied if one["kind"] == "Namespace"] == ["telemetry"]
    outside = itertools.takewhile(lambda one: "namespace" not in one["metadata"], applied)
    assert "Namespace" in [one["kind"] for one in outside]
    expected = files(manifests)
    (file,) = (manifests / FIRST_APPLIED).rglob("*.yaml")
    file.rename(manifests / "1-manifest" / file.name)
    render("git", checkout / "rendered", checkout)
    assert files(manifests) == expected


def test_phase_4_is_rendered_over_buckets_that_exist(checkout: Path) -> None:
    (checkout / "Pulumi.git.yaml").write_text(STACKS[4])
    made = {
        (one["kind"], one["metadata"]["name"])
        for one in objects(files(render("git", checkout / "rendered", checkout)))
    }
    stores = ("tempo", "mimir", "loki-cluster", "postgres")
    assert {("StatefulSet", name) for name in stores} <= made
    assert "Secret" not in {kind for kind, _ in made}


@pytest.mark.parametrize("phase", STACKS)
def test_every_file_is_taken_by_kubeconform(checkout: Path, phase: int) -> None:
    (checkout / "Pulumi.git.yaml").write_text(STACKS[phase])
    folder = render("git", checkout / "rendered", checkout)
    assert kubeconform(folder) == ""
    written = sorted(folder.rglob("*.yaml"))
    for file in written:
        file.write_text(f"{file.read_text()}misspelt: 1\n")
    found = kubeconform(folder)
    assert [file.name for file in written if str(file) not in found] == [], "not looked at"
