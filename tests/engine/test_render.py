"""Manifests for Git through the engine itself: no cluster, no state, the same files each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.project import ROOT
from ops.render.gitops import ARGO_CD, FLUX
from ops.render.manifests import render
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


def test_phase_4_is_rendered_over_buckets_that_exist(checkout: Path) -> None:
    (checkout / "Pulumi.git.yaml").write_text(STACK.replace("phase: 3", "phase: 4") + BUCKETS)
    made = {
        (one["kind"], one["metadata"]["name"])
        for one in objects(files(render("git", checkout / "rendered", checkout)))
    }
    stores = ("tempo", "mimir", "loki-cluster", "postgres")
    assert {("StatefulSet", name) for name in stores} <= made
    assert "Secret" not in {kind for kind, _ in made}
