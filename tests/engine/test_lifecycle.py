"""Phase 1 through the real engine: brought up, changed, and removed without a trace."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ops.docker.removed import removed_from_docker
from tests.support import phase1
from tests.support.docker_engine import Engine
from tests.support.program import CONTAINER, VOLUME
from tests.support.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The stack, and what was on its Docker Engine before it."""

    stack: Stack
    before: set[str]


@pytest.fixture(scope="module")
def deployed(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    before = docker_engine.inventory()
    with phase1.running("engine", docker_engine, tmp_path_factory.mktemp("engine") / "stack") as stack:
        yield Deployed(stack=stack, before=before)


def containers(engine: Engine) -> dict[str, str]:
    return {str(one.name): str(one.id) for one in engine.client.containers.list(all=True)}


def without_hash(name: str) -> str:
    return re.sub(r"-config-[0-9a-f]{8}$", "-config", name)


def test_nothing_changes_without_a_reason(deployed: Deployed) -> None:
    deployed.stack.preview("--expect-no-changes")


def test_secrets_are_encrypted_in_the_state(deployed: Deployed) -> None:
    clear = json.loads(deployed.stack.export("--show-secrets"))["deployment"]["resources"]
    generated = [one for one in clear if one["type"] == "random:index/randomPassword:RandomPassword"]
    secrets = [json.loads(one["outputs"]["result"]["plaintext"]) for one in generated]
    assert [len(secret) for secret in secrets] == [32, 32]
    states = [path.read_text() for path in (deployed.stack.folder / "backend").rglob("*") if path.is_file()]
    for text in (deployed.stack.export(), deployed.stack.run("stack", "output").output, *states):
        assert not [secret for secret in secrets if secret in text]


def test_secrets_are_not_in_the_environment_of_any_container(
    deployed: Deployed, docker_engine: Engine
) -> None:
    clear = deployed.stack.export("--show-secrets")
    passwords = re.findall(r'"plaintext": "\\"([A-Za-z0-9]{32})\\""', clear)
    assert len(set(passwords)) == 2
    for container in docker_engine.client.containers.list(all=True):
        assert not [password for password in passwords if password in json.dumps(container.attrs)]


def test_one_collector_setting_replaces_the_collector_and_nothing_else(
    deployed: Deployed, docker_engine: Engine
) -> None:
    ingest = {**deployed.stack.config["ingest"], "maxConcurrentStreams": 101}
    plan = {without_hash(name) for name in deployed.stack.plan({"ingest": ingest})}
    assert plan == {
        f"{CONTAINER} otel-collector",
        f"{CONTAINER} otel-collector-config",
        f"{CONTAINER} otel-collector-ready",
        f"{VOLUME} otel-collector-config",
    }
    before = containers(docker_engine)
    deployed.stack.up({"ingest": ingest})
    after = containers(docker_engine)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {without_hash(name) for name in changed} == {
        "otel-collector",
        "otel-collector-config",
        "otel-collector-ready",
    }
    assert before.keys() - after.keys(), "the old configuration is still there"
    deployed.stack.preview("--expect-no-changes")


def test_what_somebody_removed_is_found_and_made_again(deployed: Deployed, docker_engine: Engine) -> None:
    client, stack = docker_engine.client, deployed.stack
    before = containers(docker_engine)
    assert removed_from_docker(client, stack.state()) == []
    for name in ("grafana", "otel-collector-ready"):
        client.containers.get(name).remove(force=True, v=True)
    removed = removed_from_docker(client, stack.state())
    assert {urn.rpartition("::")[-1] for urn in removed} == {"grafana", "otel-collector-ready"}
    stack.refresh(*(f"--target={urn}" for urn in removed))
    stack.up()
    after = containers(docker_engine)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {
        "grafana",
        "otel-collector-ready",
    }
    stack.preview("--expect-no-changes")


def test_destroy_leaves_nothing_behind(deployed: Deployed, docker_engine: Engine) -> None:
    assert docker_engine.inventory() > deployed.before
    deployed.stack.destroy()
    assert docker_engine.inventory() == deployed.before
    assert deployed.stack.resources() == []
