"""How the kubernetes plugin changes objects of a running cluster, as far as the stack builds on it."""

from __future__ import annotations

import json
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.images import CATALOGUE
from ops.kubernetes.kubectl import Kubectl
from ops.kubernetes.removed import removed_from_cluster
from tests.lab import cache
from tests.support.cluster import Cluster
from tests.support.stack import Stack

PROGRAMS = Path(__file__).with_name("programs")
DEPLOYMENT = "kubernetes:apps/v1:Deployment subject"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap text"
NAMESPACE = "plugin-tests"
PASSWORD = "correct horse battery staple"
IMAGE = CATALOGUE["prometheus"].reference
"""It has a shell."""

CONFIG: dict[str, Any] = {
    "namespace": NAMESPACE,
    "text": "one",
    "password": PASSWORD,
    "replicas": 1,
    "image": IMAGE,
}


@pytest.fixture(scope="module")
def stack(kubernetes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    config = {**CONFIG, "provider": kubernetes.provider}
    folder = tmp_path_factory.mktemp("objects") / "stack"
    made = Stack(name="objects", folder=folder, program=PROGRAMS / "objects", config=config)
    try:
        made.up()
        yield made
    finally:
        made.destroy()


def deployed(kubernetes: Cluster) -> dict[str, Any]:
    return kubernetes.get("deployment", "subject", f"--namespace={NAMESPACE}")


def test_a_second_preview_is_clean_and_the_password_nowhere_in_the_state(stack: Stack) -> None:
    stack.preview("--expect-no-changes")
    assert PASSWORD not in stack.export()


def test_changed_text_makes_a_new_config_map_and_rolls_the_pods(stack: Stack, kubernetes: Cluster) -> None:
    before = stack.outputs()["text"]
    assert stack.plan({"text": "two"}) == {CONFIG_MAP: "replace", DEPLOYMENT: "update"}
    stack.up({"text": "two"})
    after = stack.outputs()["text"]
    (volume,) = deployed(kubernetes)["spec"]["template"]["spec"]["volumes"]
    assert after == volume["configMap"]["name"] != before
    maps = kubernetes.get("configmaps", f"--namespace={NAMESPACE}")["items"]
    assert before not in {item["metadata"]["name"] for item in maps}


def test_another_selector_needs_another_deployment(stack: Stack, kubernetes: Cluster) -> None:
    before = deployed(kubernetes)["metadata"]["uid"]
    changes = {"selector": {"tier": "one"}}
    assert stack.plan(changes) == {DEPLOYMENT: "replace"}
    stack.up(changes)
    assert deployed(kubernetes)["metadata"]["uid"] != before


def test_refreshing_finds_what_somebody_changed(
    stack: Stack, kubernetes: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.refresh()
    stack.preview("--expect-no-changes")
    patch = json.dumps({"spec": {"replicas": 2}})
    place = ("deployment", "subject", f"--namespace={NAMESPACE}")
    kubernetes.kubectl("patch", *place, "--patch", patch, "--field-manager=somebody")
    kubernetes.kubectl("rollout", "status", *place, "--timeout=120s")
    stack.refresh()
    for refused in (stack.preview(check=False), stack.up(check=False)):
        assert refused.status != 0
        assert ".spec.replicas" in refused.text
        assert "somebody" in refused.text
    with monkeypatch.context() as forcing:
        forcing.setitem(stack._environment, "PULUMI_K8S_ENABLE_PATCH_FORCE", "true")
        stack.up()
    assert deployed(kubernetes)["spec"]["replicas"] == 1
    stack.up()
    stack.preview("--expect-no-changes")


def test_what_somebody_removed_is_found_and_made_again(stack: Stack, kubernetes: Cluster) -> None:
    asked = Kubectl(
        program=cache.binary("kubectl"),
        kubeconfig=kubernetes.kubeconfig,
        context=kubernetes.context,
        namespace=NAMESPACE,
    )
    assert removed_from_cluster(asked, stack.state()) == []
    kubernetes.kubectl("delete", "deployment", "subject", f"--namespace={NAMESPACE}", "--wait")
    removed = removed_from_cluster(asked, stack.state())
    assert [urn.rpartition("::")[-1] for urn in removed] == ["subject"]
    stack.refresh(*(f"--target={urn}" for urn in removed))
    stack.up()
    assert deployed(kubernetes)["status"]["availableReplicas"] == 1
    stack.preview("--expect-no-changes")


def test_a_pod_that_cannot_start_is_named_with_its_reason(stack: Stack, kubernetes: Cluster) -> None:
    ended = stack.up({"image": "registry.k8s.io/not-there:1", "patience": "8s"}, check=False)
    assert ended.status != 0
    assert "Traceback" not in ended.text
    for part in (
        "Deployment plugin-tests/subject is not ready",
        "pod subject-",
        "registry.k8s.io/not-there:1",
    ):
        assert part in ended.text
    stack.up({"image": IMAGE, "patience": "120s"})
    assert deployed(kubernetes)["status"]["availableReplicas"] == 1


def test_an_interrupted_update_ends_at_once_and_can_go_on(stack: Stack) -> None:
    file = stack._config_file({**stack.config, "image": "registry.k8s.io/not-there:2"})
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack.name, *file]
    with subprocess.Popen(
        command, cwd=stack.program, env=stack._environment, stdout=subprocess.PIPE, text=True
    ) as update:
        assert update.stdout is not None
        for line in update.stdout:
            if "of the old revision are still there" in line:
                update.send_signal(signal.SIGINT)
                break
        rest = update.stdout.read()
        assert update.wait(timeout=30) != 0
    assert "the update was cancelled" in rest
    stack.up()
    stack.preview("--expect-no-changes")


def test_what_is_there_already_is_not_taken_over(stack: Stack, kubernetes: Cluster, tmp_path: Path) -> None:
    del stack
    config = {**CONFIG, "provider": kubernetes.provider}
    second = Stack(name="second", folder=tmp_path / "stack", program=PROGRAMS / "objects", config=config)
    refused = second.up(check=False)
    assert f"Namespace {NAMESPACE} already exists and is not of this stack" in refused.text
    second.destroy()
    assert deployed(kubernetes)["status"]["availableReplicas"] == 1


def test_one_of_each_kind(kubernetes: Cluster, tmp_path: Path) -> None:
    config = {"image": IMAGE, "provider": kubernetes.provider}
    stack = Stack(name="kinds", folder=tmp_path / "stack", program=PROGRAMS / "kinds", config=config)
    try:
        stack.preview()
        stack.up()
        stack.refresh()
        stack.preview("--expect-no-changes")
    finally:
        stack.destroy()
    assert kubernetes.kubectl("get", "namespace", "kinds", "--ignore-not-found") == ""


def test_a_dead_cluster_is_previewed_and_refused_in_plain_words(tmp_path: Path) -> None:
    provider = {"kubeconfig": str(tmp_path / "nowhere"), "context": "none"}
    config = {**CONFIG, "provider": provider}
    stack = Stack(name="dead", folder=tmp_path / "stack", program=PROGRAMS / "objects", config=config)
    assert stack.plan()[DEPLOYMENT] == "create"
    refused = stack.up(check=False)
    assert refused.status != 0
    assert "Traceback" not in refused.text
    assert str(tmp_path / "nowhere") in refused.text


def test_files_come_and_go_with_the_objects(tmp_path: Path) -> None:
    folder = tmp_path / uuid.uuid4().hex
    config = {**CONFIG, "provider": {"render_yaml_to_directory": str(folder)}}
    stack = Stack(name="files", folder=tmp_path / "stack", program=PROGRAMS / "objects", config=config)
    stack.preview()
    assert not folder.exists()
    stack.up()
    first = {file.name: file.read_text() for file in folder.rglob("*.yaml")}
    assert f"apps_v1-deployment-{NAMESPACE}-subject.yaml" in first
    stack.preview("--expect-no-changes")
    stack.up({"text": "two"})
    second = {file.name for file in folder.rglob("*.yaml")}
    assert len(second) == len(first)
    assert len(second - first.keys()) == 1
    stack.destroy()
    assert not list(folder.rglob("*.yaml"))
