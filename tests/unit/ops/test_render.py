"""Rendering: what is written where, what is refused, and that nothing is half replaced."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.values.secret_text import ENCRYPTED
from ops.errors import OpsError
from ops.pulumi.toolchain import Choice
from ops.render import manifests
from ops.render.gitops import ARGO_CD, FLUX
from ops.render.manifests import render
from tests.support.ops import PROJECT

STACK = """
config:
  aws:region: eu-central-1
  aws:secretKey: {secure: "v1:of-another-passphrase"}
  otel-stack:phase: 3
  otel-stack:environment: prod
  otel-stack:kubernetes:
    existingSecrets:
      grafana: grafana-login
    gitops:
      repository: https://git.example.com/platform.git
      revision: main
encryptionsalt: v1:of-another-passphrase
"""
WITHOUT_REPOSITORY = re.sub(r"    gitops:\n(      .*\n)+", "", STACK)
MANIFEST = "manifests/1-manifest/object.yaml"
ENGINE = """#!/bin/sh
env | grep -E '^(PULUMI|KUBE)' > {folder}/environment
case "$*" in
  *"stack ls"*) echo '[]';;
  up*)
    while [ "$1" != --config-file ]; do shift; done
    cp "$2" {folder}/config
    to=$(sed -n 's/^ *render: //p' "$2")/manifests/1-manifest
    mkdir -p "$to" && cat {folder}/object > "$to/object.yaml"
    exit $(cat {folder}/status);;
esac
"""


class Checkout:
    """A checkout with one stack and an engine that writes one manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "clone"
        self.root.mkdir()
        (self.root / "Pulumi.yaml").write_text(PROJECT)
        self.settings(STACK)
        self.object("kind: Service\n")
        (folder / "status").write_text("0")
        (folder / "bin").mkdir()
        program = folder / "bin" / "pulumi"
        program.write_text(ENGINE.format(folder=folder))
        program.chmod(0o755)

    def settings(self, text: str) -> None:
        (self.root / "Pulumi.prod.yaml").write_text(text)

    def object(self, text: str) -> None:
        (self.folder / "object").write_text(text)

    def render(
        self, to: str | None = "deploy/prod", *, stack: str = "prod", new: bool = False
    ) -> dict[str, str]:
        """Render; give what is in the folder then."""
        return self.files(render(stack, None if to is None else self.root / to, self.root, new=new))

    def files(self, folder: Path) -> dict[str, str]:
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_text() for path in found}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    found = Checkout(tmp_path)
    monkeypatch.setattr(manifests, "choose", lambda _engine, _images: Choice(lab=False, reason=""))
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    monkeypatch.setattr(manifests, "provide_engine", lambda _choice, **_: {"PATH": path})
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://not.to.be.used")
    return found


def test_manifests_and_what_points_at_them(checkout: Checkout) -> None:
    files = checkout.render()
    assert set(files) == {MANIFEST, f"gitops/{ARGO_CD}", f"gitops/{FLUX}"}
    application = yaml.safe_load(files[f"gitops/{ARGO_CD}"])
    assert application["spec"]["source"]["path"] == "deploy/prod/manifests"
    source, applied = yaml.safe_load_all(files[f"gitops/{FLUX}"])
    assert source["spec"]["url"] == "https://git.example.com/platform.git"
    assert applied["spec"]["path"] == "./deploy/prod/manifests"
    assert applied["spec"]["sourceRef"]["name"] == source["metadata"]["name"]


def test_second_rendering_changes_nothing_and_keeps_what_others_put_beside_it(checkout: Checkout) -> None:
    first = checkout.render()
    (checkout.root / "deploy" / "prod" / "secrets.yaml").write_text("kind: ExternalSecret\n")
    assert checkout.render() == {**first, "secrets.yaml": "kind: ExternalSecret\n"}


def test_without_a_repository_the_manifests_alone_are_written(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also outside the checkout, as nothing has to know their place in a repository."""
    checkout.settings(WITHOUT_REPOSITORY)
    assert set(checkout.render()) == set(checkout.render("../elsewhere")) == {MANIFEST}
    said = capsys.readouterr().err
    assert f"written: {checkout.root / 'deploy' / 'prod' / 'manifests'}\n" in said
    assert f"left out: {checkout.root / 'deploy' / 'prod' / 'gitops'}, for Argo CD and Flux" in said
    assert "set kubernetes.gitops.repository in Pulumi.prod.yaml" in said
    assert "removed" not in said


def test_what_pointed_at_a_repository_is_gone_when_the_settings_name_none(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = checkout.render()
    checkout.settings(WITHOUT_REPOSITORY)
    with monkeypatch.context() as patched:
        fail_rename(patched, OSError(16, "Device or resource busy"), 2)
        with pytest.raises(OpsError, match=r"cannot move .*/gitops"):
            checkout.render()
    assert checkout.files(checkout.root / "deploy" / "prod") == before
    assert set(checkout.render()) == {MANIFEST}
    assert [path.name for path in (checkout.root / "deploy" / "prod").iterdir()] == ["manifests"]
    said = capsys.readouterr().err
    assert f"removed: {checkout.root / 'deploy' / 'prod' / 'gitops'}\n" in said
    assert "not put back" not in said


def test_state_login_and_salt_of_others_are_not_used(checkout: Checkout) -> None:
    checkout.render()
    environment = (checkout.folder / "environment").read_text()
    assert "not.to.be.used" not in environment
    assert "PULUMI_BACKEND_URL=file:///" in environment
    config = yaml.safe_load((checkout.folder / "config").read_text())
    assert config.keys() == {"config"}
    assert config["config"]["aws:region"] == "eu-central-1"
    assert config["config"]["aws:secretKey"] == ENCRYPTED, "the engine opens all secrets, or does not start"


def test_no_cluster_of_the_surroundings_is_followed(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the one of kubectl nor, in a pod, the one around it."""
    monkeypatch.setenv("KUBECONFIG", "/somebody/else")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    checkout.render()
    environment = (checkout.folder / "environment").read_text().splitlines()
    assert {"KUBECONFIG=/dev/null", "KUBERNETES_SERVICE_HOST="} <= set(environment)


def test_the_section_may_be_json_text(checkout: Checkout) -> None:
    content = yaml.safe_load(STACK)
    content["config"]["otel-stack:kubernetes"] = json.dumps(content["config"]["otel-stack:kubernetes"])
    expected = checkout.render()
    checkout.settings(yaml.safe_dump(content))
    assert checkout.render() == expected


def test_folder_of_the_settings_is_the_default(checkout: Checkout) -> None:
    checkout.settings(STACK.replace("    gitops:", "    kubeconfig: a\n    context: b\n    gitops:"))
    with pytest.raises(OpsError, match="names no folder") as caught:
        checkout.render(None)
    assert "kubernetes.render" in caught.value.advice
    checkout.settings(STACK.replace("    gitops:", "    render: git/prod\n    gitops:"))
    assert MANIFEST in checkout.render(None)
    assert (checkout.root / "git" / "prod" / "manifests").is_dir()


def test_failure_leaves_what_was_there(checkout: Checkout) -> None:
    before = checkout.render()
    (checkout.folder / "status").write_text("255")
    checkout.object("kind: Other\n")
    with pytest.raises(OpsError, match="pulumi up"):
        checkout.render()
    assert checkout.files(checkout.root / "deploy" / "prod") == before


@pytest.mark.parametrize("error", [OSError(16, "Device or resource busy"), KeyboardInterrupt()])
@pytest.mark.parametrize("failing", range(4))
def test_interrupted_replacement_is_undone(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, error: BaseException, failing: int
) -> None:
    before = checkout.render()
    checkout.object("kind: Other\n")
    fail_rename(monkeypatch, error, failing)
    with pytest.raises((OpsError, KeyboardInterrupt)):
        checkout.render()
    assert checkout.files(checkout.root / "deploy" / "prod") == before
    assert "kind: Other" in checkout.render()[MANIFEST]


def test_first_rendering_that_is_interrupted_leaves_nothing(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_rename(monkeypatch, OSError(28, "No space left on device"), 1)
    with pytest.raises(OpsError, match=r"cannot move .*/gitops: No space left"):
        checkout.render()
    assert list((checkout.root / "deploy" / "prod").iterdir()) == []


def test_what_was_there_is_kept_when_it_cannot_be_put_back(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = checkout.render()
    fail_rename(monkeypatch, OSError(5, "Input/output error"), 1, 2)
    with pytest.raises(OSError, match="Input/output error"):
        checkout.render()
    (kept,) = (checkout.root / "deploy" / "prod").glob(".rendering-*/manifests.before")
    assert checkout.files(kept) == {
        name.removeprefix("manifests/"): text
        for name, text in before.items()
        if name.startswith("manifests/")
    }
    assert f"is now {kept}" in capsys.readouterr().err


def fail_rename(monkeypatch: pytest.MonkeyPatch, error: BaseException, *failing: int) -> None:
    """Have the renames of these numbers fail."""
    numbers, rename = itertools.count(), Path.rename

    def failing_rename(path: Path, target: Path) -> Path:
        if next(numbers) in failing:
            raise error
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing_rename)


def test_secrets_in_clear_are_never_written(checkout: Checkout) -> None:
    checkout.object("kind: Secret\nstringData: {password: x}\n")
    with pytest.raises(OpsError, match=r"secrets in clear text: object\.yaml") as caught:
        checkout.render()
    assert "existingSecrets" in caught.value.advice
    assert checkout.files(checkout.root / "deploy" / "prod") == {}


def test_kafkas_topics_keep_what_they_were_made_with(checkout: Checkout) -> None:
    brokers = "kind: StatefulSet\nmetadata: {{name: kafka}}\nspec: {{replicas: {}}}\n".format
    checkout.object(brokers(3))
    before = checkout.render()
    assert checkout.render() == before
    checkout.object(brokers(1))
    with pytest.raises(OpsError, match=r"nothing was written: kafka\.brokers: 1: .* made with 3\.") as caught:
        checkout.render()
    assert "--new" in caught.value.advice
    assert checkout.files(checkout.root / "deploy" / "prod") == before
    assert "replicas: 1" in checkout.render(new=True)[MANIFEST]


def test_settings_are_refused_before_anything_is_written(checkout: Checkout) -> None:
    checkout.settings("config:\n  otel-stack:phase: 3\n")
    with pytest.raises(OpsError, match=r"kubernetes\.existingSecrets\.grafana") as caught:
        checkout.render()
    assert caught.value.status == 2
    assert not (checkout.folder / "config").exists()


def test_encrypted_settings_are_refused(checkout: Checkout) -> None:
    """Nobody has their passphrase here; a placeholder would stand in the manifests."""
    checkout.settings(STACK.replace("    gitops:", '    context: {secure: "v1:abc"}\n    gitops:'))
    with pytest.raises(OpsError, match=r"Pulumi\.prod\.yaml: encrypted: kubernetes; ") as caught:
        checkout.render()
    assert caught.value.status == 2


def test_phases_on_docker_have_no_manifests(checkout: Checkout) -> None:
    checkout.settings("config:\n  otel-stack:phase: 2\n")
    with pytest.raises(OpsError, match="phase 2, which runs on Docker"):
        checkout.render()


def test_buckets_whose_state_nobody_would_keep_are_not_made(checkout: Checkout) -> None:
    checkout.settings(
        STACK.replace("phase: 3", "phase: 4").replace("encryptionsalt: v1:of-another-passphrase\n", "")
        + "  otel-stack:postgres: {passwordSecret: grafana-database}\n"
        + "  otel-stack:objectStorage: {bucketPrefix: acme, aws: {region: eu-central-1, clusterName: main}}\n"
    )
    with pytest.raises(OpsError, match="'aws': rendering only writes manifests"):
        checkout.render()


def test_folder_with_something_else_is_not_replaced(checkout: Checkout) -> None:
    manifests = checkout.root / "deploy" / "prod" / "manifests"
    manifests.mkdir(parents=True)
    (manifests / "own.yaml").write_text("kind: Deployment\n")
    with pytest.raises(OpsError, match=r"holds own\.yaml"):
        checkout.render()
    assert (manifests / "own.yaml").exists()


def test_folder_outside_the_checkout_needs_its_place_in_the_repository(checkout: Checkout) -> None:
    with pytest.raises(OpsError, match=r"kubernetes\.gitops\.path"):
        checkout.render("../elsewhere")
    checkout.settings(STACK.replace("      revision: main", "      path: clusters/prod/otel"))
    files = checkout.render("../elsewhere")
    application = yaml.safe_load(files[f"gitops/{ARGO_CD}"])
    assert application["spec"]["source"]["path"] == "clusters/prod/otel/manifests"


def test_git_tools_are_told_all_that_they_need(checkout: Checkout) -> None:
    """Each field without which Argo CD or Flux refuses the object, or does not do what the documents say."""
    files = checkout.render()
    application = yaml.safe_load(files[f"gitops/{ARGO_CD}"])
    assert identity(application) == ("argoproj.io/v1alpha1", "Application", "otel-stack-prod", "argocd")
    spec = application["spec"]
    assert spec["project"] == "default"
    assert spec["source"] == {
        "repoURL": "https://git.example.com/platform.git",
        "targetRevision": "main",
        "path": "deploy/prod/manifests",
        "directory": {"recurse": True},
    }
    assert spec["destination"] == {
        "server": "https://kubernetes.default.svc",
        "namespace": "observability",
    }
    assert spec["syncPolicy"] == {
        "automated": {"prune": True, "selfHeal": True},
        "syncOptions": [
            "ServerSideApply=true",
            "CreateNamespace=false",
            "PruneLast=true",
            "ApplyOutOfSyncOnly=true",
        ],
    }
    source, applied = yaml.safe_load_all(files[f"gitops/{FLUX}"])
    repository = ("source.toolkit.fluxcd.io/v1", "GitRepository", "otel-stack-prod", "flux-system")
    assert identity(source) == repository
    assert source["spec"]["interval"] == applied["spec"]["interval"] == "10m"
    assert source["spec"]["ref"] == {"branch": "main"}
    assert "secretRef" not in source["spec"]
    kustomization = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "otel-stack-prod", "flux-system")
    assert identity(applied) == kustomization
    assert applied["spec"]["prune"] is True
    assert applied["spec"]["sourceRef"] == {"kind": "GitRepository", "name": "otel-stack-prod"}


def test_one_git_tool_can_have_several_stacks(checkout: Checkout) -> None:
    """Also of one environment: their objects are named after the stacks, of which each name is one's own."""
    names = set()
    for stack in ("eu", "US_east.2"):
        (checkout.root / f"Pulumi.{stack}.yaml").write_text(STACK)
        files = checkout.render(f"deploy/{stack}", stack=stack)
        objects = [yaml.safe_load(files[f"gitops/{ARGO_CD}"]), *yaml.safe_load_all(files[f"gitops/{FLUX}"])]
        names |= {one["metadata"]["name"] for one in objects}
    assert names == {"otel-stack-eu", "otel-stack-us-east-2"}


@pytest.mark.parametrize(
    ("repository", "url"),
    [
        ("git@git.example.com:org/platform.git", "ssh://git@git.example.com/org/platform.git"),
        ("git@git.example.com:/org/platform.git", "ssh://git@git.example.com/org/platform.git"),
        (
            "ssh://git@git.example.com:2222/org/platform.git",
            "ssh://git@git.example.com:2222/org/platform.git",
        ),
    ],
)
def test_a_private_repository_is_named_as_each_tool_takes_it(
    checkout: Checkout, repository: str, url: str
) -> None:
    login = "      secret: deploy-key\n      argoProject: platform\n"
    checkout.settings(
        STACK.replace("https://git.example.com/platform.git", repository).replace(
            "      revision: main\n", f"      revision: main\n{login}"
        )
    )
    files = checkout.render()
    application = yaml.safe_load(files[f"gitops/{ARGO_CD}"])
    assert application["spec"]["source"]["repoURL"] == repository
    assert application["spec"]["project"] == "platform"
    source, _ = yaml.safe_load_all(files[f"gitops/{FLUX}"])
    assert source["spec"]["url"] == url
    assert source["spec"]["secretRef"] == {"name": "deploy-key"}


def identity(one: dict[str, Any]) -> tuple[str, str, str, str]:
    metadata = one["metadata"]
    return one["apiVersion"], one["kind"], metadata["name"], metadata["namespace"]
