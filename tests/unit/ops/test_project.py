"""Reading a stack's committed files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from components.values.secret_text import ENCRYPTED
from ops.errors import OpsError
from ops.project import load_stack
from ops.unlocked import unlocked_file
from tests.support.ops import PROJECT, checkout


def test_settings_are_those_of_the_stack(tmp_path: Path) -> None:
    stack = checkout(tmp_path, stack="config:\n  otel-stack:environment: staging\n  other:key: 1\n")
    assert stack.project == "otel-stack"
    assert stack.settings.environment == "staging"
    assert set(stack.config) == {"environment"}


def test_encrypted_values_stay_shut(tmp_path: Path) -> None:
    stack = checkout(tmp_path, stack="config:\n  otel-stack:kafkaPassword:\n    secure: v1:abc\n")
    assert stack.settings.kafka_password == ENCRYPTED


UNLOCKED = """
config:
  other:list: [{secure: v1:abc}, plain]
  otel-stack:phase: 4
  otel-stack:kubernetes: {kubeconfig: a, context: b}
  otel-stack:kafkaPassword: {secure: v1:abc}
  otel-stack:kafka:
    mode: external
    bootstrapServers: [b-1.example.com:9096]
    security: {mechanism: PLAIN, username: otel}
  otel-stack:objectStorage:
    bucketPrefix: acme
    aws: {region: eu-central-1, clusterName: main, tags: {owner: {secure: v1:abc}}}
encryptionsalt: v1:abc
secretsprovider: awskms://alias/pulumi
encryptedkey: abc
"""


def test_unlocked_file_has_a_placeholder_for_each_secret_and_no_lock(tmp_path: Path) -> None:
    stack = checkout(tmp_path, stack=UNLOCKED)
    content = yaml.safe_load(unlocked_file(stack))
    assert content.keys() == {"config"}
    config = content["config"]
    assert config["other:list"] == [ENCRYPTED, "plain"]
    assert config["otel-stack:kafkaPassword"] == ENCRYPTED
    aws = config["otel-stack:objectStorage"]["aws"]
    assert aws == {"region": "eu-central-1", "clusterName": "main", "tags": {"owner": ENCRYPTED}}
    assert checkout(tmp_path / "unlocked", stack=yaml.safe_dump(content)).settings.phase == 4


def test_unlocked_file_is_the_file_where_nothing_is_locked(tmp_path: Path) -> None:
    stack = checkout(tmp_path, stack="config:\n  otel-stack:environment: staging\n  other:key: 1\n")
    assert unlocked_file(stack) == stack.file.read_text()


def test_numbers_that_the_cli_has_rewritten_as_text_are_numbers(tmp_path: Path) -> None:
    assert checkout(tmp_path, stack='config:\n  otel-stack:phase: "2"\n').settings.phase == 2


def test_unknown_stack_names_those_that_exist(tmp_path: Path) -> None:
    checkout(tmp_path, name="dev")
    checkout(tmp_path, name="prod")
    with pytest.raises(OpsError, match="no stack 'qa'") as caught:
        load_stack("qa", tmp_path)
    assert caught.value.advice == "stacks here: dev, prod"
    assert caught.value.status == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: [", "is not YAML"),
        ("", "holds no keys"),
        ("config:\n  otel-stack:phase: 9\n", "1 setting is wrong"),
        ("config: [{otel-stack:phase: 1}]\n", "config is a list; allowed"),
        ("config:\n  otel-stack:phase 1\n", "config is text that begins with 'otel-stack:phase'; allowed"),
        ("config: ' '\n", "config is text; allowed"),
        ("config: 0\n", "config is a number; allowed"),
        ("config: {7: a}\n", "config has the key 7, which is a number; allowed: text"),
        (
            "config:\n  otel-stack:environment: 2024-01-01\n",
            "otel-stack:environment: YAML reads 2024-01-01 as a date; allowed",
        ),
        ("config:\n  otel-stack:retention: {logs: 2024-01-01}\n", "YAML reads 2024-01-01 as a date"),
        ("config:\n  otel-stack:retention: {2024-01-01: 7d}\n", "otel-stack:retention: keys must be str"),
    ],
)
def test_bad_stack_file_is_told_in_words(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OpsError, match=message) as caught:
        checkout(tmp_path, stack=text)
    assert caught.value.status == 2


def test_keys_that_only_the_engine_would_take_as_the_projects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="keys without a namespace: phase, sizing") as caught:
        checkout(
            tmp_path, stack="config:\n  otel-stack:environment: x\n  phase: 3\n  sizing: {preset: large}\n"
        )
    assert caught.value.advice.endswith("Pulumi.dev.yaml: otel-stack:phase, otel-stack:sizing")
    assert caught.value.status == 2


def test_a_changed_section_that_is_none_is_told_as_any_wrong_setting(tmp_path: Path) -> None:
    checkout(tmp_path)
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  otel-stack:kubernetes: main\n")
    with pytest.raises(OpsError, match="kubernetes"):
        load_stack("dev", tmp_path, changes={"kubernetes": {"render": "x"}})


def test_missing_project_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    with pytest.raises(OpsError, match=r"cannot read .*Pulumi.yaml"):
        load_stack("dev", tmp_path)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("  otel-stack:docker:\n    host: ssh://ops@node\n", "ssh://ops@node"),
        ("", "unix:///var/run/docker.sock"),
    ],
)
def test_docker_host_is_that_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str, expected: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere")
    assert checkout(tmp_path, stack=f"config:\n  otel-stack:phase: 1\n{section}").docker_host == expected


def test_own_secrets_and_own_backend_are_noticed(tmp_path: Path) -> None:
    plain = checkout(tmp_path / "a")
    salted = checkout(tmp_path / "b", stack="encryptionsalt: v1:x\nconfig: {}\n")
    foreign = checkout(tmp_path / "c", project=f"{PROJECT}backend:\n  url: s3://state\n")
    assert (plain.own_secrets, plain.own_backend) == (False, False)
    assert salted.own_secrets
    assert foreign.own_backend
