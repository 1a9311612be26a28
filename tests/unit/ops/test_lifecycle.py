"""Up, down and destroy: what is checked, in which order, and what the engine is asked to do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from docker.errors import APIError, NotFound

from components.settings import Settings
from ops import lifecycle, session
from ops.docker import checks
from ops.docker.engine import DiskUsage, Engine
from ops.errors import OpsError
from ops.inventory import BUCKET, CONTAINER, NETWORK, PASSWORD, VOLUME
from ops.outputs import StackOutputs
from ops.pulumi.toolchain import Choice
from ops.sites import docker as docker_site
from tests.support.ops import checkout

OFFICIAL = Choice(lab=False, reason="official CLI 3.272.0")
LAB = Choice(lab=True, reason="no route")
RESOURCES: list[dict[str, Any]] = [
    {"type": NETWORK, "urn": "urn:network::obs", "id": "n1", "inputs": {"name": "obs"}},
    {"type": VOLUME, "urn": "urn:volume::loki-data", "id": "loki-data", "inputs": {"name": "loki-data"}},
    {"type": VOLUME, "urn": "urn:volume::loki-config-1", "id": "config", "inputs": {"name": "loki-config-1"}},
    {"type": CONTAINER, "urn": "urn:container::loki", "id": "c1", "inputs": {"name": "loki"}},
    {"type": CONTAINER, "urn": "urn:container::loki", "id": "c0", "inputs": {"name": "loki"}, "delete": True},
    {"type": PASSWORD, "urn": "urn:password::grafana-admin-password", "inputs": {}},
]
PROTECTED: list[dict[str, Any]] = [
    {
        "type": BUCKET,
        "urn": "urn:bucket::object-storage-logs",
        "inputs": {"bucket": "acme-dev-logs"},
        "protect": True,
    },
    {"type": "aws:s3/x:X", "urn": "urn:policy::object-storage-logs-tls", "inputs": {}, "protect": True},
    {"type": "aws:iam/role:Role", "urn": "urn:role::object-storage-loki", "inputs": {}},
]
ENGINE = """
echo "$*" >> {folder}/log
case "$*" in
  *"stack ls"*) test -e {folder}/made && echo '[{{"name": "dev"}}]' || echo '[]';;
  *"stack init"*) touch {folder}/made;;
  *"stack export"*) cat {folder}/state.json;;
  *"stack output"*) echo '{{"contract_version": "1"}}';;
  *"stack rm"*) rm {folder}/made;;
esac
"""


class FakeEngine(Engine):
    """An engine with room and free ports."""

    def disk(self) -> DiskUsage | None:
        return DiskUsage(total=10**13, free=10**13)

    def missing_images(self, references: Any) -> list[str]:
        assert list(references)
        return []


@dataclass(kw_only=True)
class Machine:
    """The surroundings of a run: what answers, what is chosen, and what was done in which order."""

    folder: Path
    choice: Choice = OFFICIAL
    answers: list[bool] = field(default_factory=lambda: [True])
    done: list[str] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)

    def connect(self, host: str) -> Engine:
        self.done.append("connect")
        answers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answers:
            raise OpsError(f"no Docker Engine at {host}", "start it")
        calls = dict.fromkeys(("inspect_container", "inspect_volume", "inspect_network"), self.inspect)
        client: Any = SimpleNamespace(api=SimpleNamespace(containers=lambda **_filters: [], **calls))
        return FakeEngine(client=client, host=host, version="29", memory=2**40, data_root="/d", mine=True)

    def inspect(self, identifier: str) -> None:
        if identifier in self.removed:
            raise NotFound(f"no such object: {identifier}")

    def choose(self, *_arguments: object) -> Choice:
        return self.choice

    def provide(self, choice: Choice, **_options: object) -> dict[str, str]:
        self.done.append(f"provide {'lab' if choice.lab else 'official'}")
        return {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}

    def has(self, resources: list[dict[str, Any]]) -> None:
        """Let the engine's state be these resources."""
        (self.folder / "state.json").write_text(json.dumps({"deployment": {"resources": resources}}))

    @property
    def commands(self) -> list[str]:
        """Command lines of the engine so far."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine(folder=tmp_path)
    stack = checkout(tmp_path / "clone")
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    found.has(RESOURCES)
    program.write_text(f"#!/bin/sh\n{ENGINE.format(folder=tmp_path)}")
    program.chmod(0o755)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for variable in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "DOCKER_HOST"):
        monkeypatch.delenv(variable, raising=False)
    for module in (lifecycle, session):
        monkeypatch.setattr(module, "load_stack", lambda _name: stack)
    for module in (docker_site, session):
        monkeypatch.setattr(module, "choose", found.choose)
    monkeypatch.setattr(lifecycle, "provide", found.provide)
    monkeypatch.setattr(session, "provide_engine", found.provide)
    monkeypatch.setattr(docker_site, "connect", found.connect)
    monkeypatch.setattr(checks, "is_taken", lambda _address, _port: False)
    return found


def test_up_checks_then_installs_then_deploys(machine: Machine) -> None:
    outputs = lifecycle.up("dev").outputs()
    assert machine.done == ["connect", "provide official", "connect"]
    assert [line.split(" --")[0] for line in machine.commands[:6]] == [
        "stack ls",  # is another stack on the same engine?
        "stack ls",
        f"-C {machine.folder}/state/otel-stack/stacks/dev stack init dev",
        "stack ls",
        "stack export",
        "up",
    ]
    assert outputs.text("contract_version") == "1"


def test_second_up_makes_no_second_stack(machine: Machine) -> None:
    lifecycle.up("dev")
    lifecycle.up("dev")
    assert sum("stack init" in line for line in machine.commands) == 1
    assert sum(line.startswith("up --yes") for line in machine.commands) == 2


def test_up_makes_again_what_somebody_removed(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.removed = {"c1", "c0", "n1", "another's"}
    lifecycle.up("dev")
    refresh, up = machine.commands[-2:]
    assert refresh.startswith(
        "refresh --yes --skip-preview --target=urn:network::obs --target=urn:container::loki --stack dev"
    )
    assert up.startswith("up --yes")
    assert "Removed by somebody, and made again: obs, loki" in capfd.readouterr().err


def test_up_looks_at_nothing_again_while_all_is_there(machine: Machine) -> None:
    lifecycle.up("dev")
    assert not [line for line in machine.commands if line.startswith("refresh")]


def test_up_goes_on_where_nobody_can_say_what_was_removed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_arguments: object) -> list[str]:
        raise OpsError("kubectl get: roles is forbidden")

    monkeypatch.setattr(docker_site.DockerSite, "removed", refuse)
    lifecycle.up("dev")
    assert machine.commands[-1].startswith("up --yes")
    assert "roles is forbidden" in capfd.readouterr().err


def test_failed_check_stops_before_anything_is_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checks, "is_taken", lambda _address, port: port in (3000, 9090))
    with pytest.raises(OpsError, match="port 9090, port 3000"):
        lifecycle.up("dev")
    assert machine.done == ["connect"]
    assert machine.commands == []
    assert "grafana.port" in capfd.readouterr().err


def test_docker_that_is_down_stops_an_official_run(machine: Machine) -> None:
    machine.answers = [False]
    with pytest.raises(OpsError, match="Docker Engine"):
        lifecycle.up("dev")
    assert machine.done == ["connect"]


@pytest.mark.parametrize("failure", [requests.exceptions.ReadTimeout("read timed out"), APIError("busy")])
@pytest.mark.parametrize("call", ["own_containers", "publishing_containers"])
def test_docker_that_stops_answering_is_told_in_words(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    failure: Exception,
    call: str,
) -> None:
    def fail(_of: object) -> None:
        raise failure

    monkeypatch.setattr(checks, call, fail)
    for command in (lifecycle.doctor, lifecycle.up):
        with pytest.raises(OpsError, match="Docker Engine"):
            command("dev")
        said = capfd.readouterr().err
        assert f"the Docker Engine failed: {failure}" in said
        assert "Pulumi" in said, "all else is told, too"
    assert machine.commands == []


def test_toolchain_is_chosen_without_an_engine_that_stops_answering(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Engine | None] = []

    def choose(engine: Engine | None, _images: object) -> Choice:
        asked.append(engine)
        if engine is not None:
            raise requests.exceptions.ReadTimeout("read timed out")
        return OFFICIAL

    monkeypatch.setattr(docker_site, "choose", choose)
    lifecycle.prepare("dev")
    assert [engine is None for engine in asked] == [False, True]
    assert machine.done == ["connect", "provide official"]


def test_docker_that_is_down_is_started_by_the_lab_and_checked_then(machine: Machine) -> None:
    machine.choice, machine.answers = LAB, [False, True]
    lifecycle.up("dev")
    assert machine.done == ["connect", "provide lab", "connect", "connect"]


def test_doctor_knows_that_the_lab_starts_docker(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.choice, machine.answers = LAB, [False]
    lifecycle.doctor("dev")
    assert "make up starts the lab's" in capfd.readouterr().err


def test_docker_elsewhere_is_not_the_labs_to_start(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = checkout(
        tmp_path / "other", stack="config:\n  otel-stack:docker:\n    host: unix:///x.sock\n"
    )
    monkeypatch.setattr(lifecycle, "load_stack", lambda _name: elsewhere)
    machine.choice, machine.answers = LAB, [False]
    with pytest.raises(OpsError, match="Docker Engine"):
        lifecycle.up("dev")
    assert machine.done == ["connect"]


def test_docker_that_the_lab_cannot_start_is_told(machine: Machine) -> None:
    machine.choice, machine.answers = LAB, [False]
    with pytest.raises(OpsError, match="no Docker Engine"):
        lifecycle.up("dev")
    assert machine.commands == []


def test_doctor_changes_nothing(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    lifecycle.doctor("dev")
    assert machine.done == ["connect"]
    assert machine.commands == []
    assert not (machine.folder / "state").exists()
    text = capfd.readouterr().err
    assert all(part in text for part in ("Python", "Docker Engine", "port 4317", "memory", "disk", "Pulumi"))


def test_prepare_deploys_nothing(machine: Machine) -> None:
    machine.answers = [False]
    lifecycle.prepare("dev")
    assert machine.done == ["connect", "provide official"]
    assert machine.commands == []


def test_preview_works_on_a_stack_that_is_not_up(machine: Machine) -> None:
    machine.answers = [False]
    lifecycle.preview("dev")
    assert machine.commands[-1].startswith("preview --diff --stack dev")


def test_down_keeps_data_and_the_passwords_inside_it(machine: Machine) -> None:
    lifecycle.up("dev")
    lifecycle.down("dev")
    destroy = machine.commands[-1]
    assert destroy.startswith("destroy --yes")
    assert "--exclude=urn:volume::loki-data" in destroy
    assert "--exclude=urn:password::grafana-admin-password" in destroy
    assert "loki-config" not in destroy
    assert "urn:container" not in destroy


def test_destroy_keeps_nothing(machine: Machine) -> None:
    lifecycle.up("dev")
    lifecycle.destroy("dev", lambda _question: True)
    destroy, removal = machine.commands[-2:]
    assert destroy.startswith("destroy --yes")
    assert "--exclude" not in destroy
    assert removal.startswith("stack rm --yes --preserve-config --stack dev")
    assert not (machine.folder / "state" / "otel-stack" / "stacks" / "dev").exists()
    assert (machine.folder / "state" / "otel-stack" / "passphrase").exists()


def test_down_passes_by_what_is_protected(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    lifecycle.up("dev")
    machine.has([*RESOURCES, *PROTECTED])
    lifecycle.down("dev")
    destroy = machine.commands[-1]
    assert (
        "--exclude=urn:bucket::object-storage-logs --exclude=urn:policy::object-storage-logs-tls" in destroy
    )
    assert "--exclude=urn:volume::loki-data" in destroy
    assert "urn:role" not in destroy
    assert "loki-data and the buckets acme-dev-logs; make up" in capfd.readouterr().err


def test_destroy_keeps_what_is_protected_and_the_state_that_knows_it(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    lifecycle.up("dev")
    machine.has([*RESOURCES, *PROTECTED])
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    lifecycle.destroy("dev", agree)
    assert asked[0].endswith("loki-data? What is protected stays: the buckets acme-dev-logs.")
    destroy = machine.commands[-1]
    assert destroy.startswith("destroy --yes --exclude=urn:bucket::object-storage-logs --exclude=urn:policy")
    assert "urn:volume" not in destroy
    assert (machine.folder / "made").exists()
    assert (machine.folder / "state" / "otel-stack" / "stacks" / "dev").exists()
    said = capfd.readouterr().err
    assert "still there: the buckets acme-dev-logs; so is the stack's state" in said
    assert "is gone" not in said


def test_destroy_names_the_data_before_it_asks(machine: Machine) -> None:
    lifecycle.up("dev")
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(OpsError, match="nothing was deleted"):
        lifecycle.destroy("dev", refuse)
    assert asked == ["Delete the stack dev and all of its data: the volumes loki-data?"]
    assert not any(line.startswith("destroy") for line in machine.commands)


def destroy_at_once(name: str) -> None:
    lifecycle.destroy(name, lambda _question: True)


@pytest.mark.parametrize("remove", [lifecycle.down, destroy_at_once])
def test_nothing_to_remove(machine: Machine, remove: Callable[[str], None]) -> None:
    with pytest.raises(OpsError, match="nothing to remove") as caught:
        remove("dev")
    assert caught.value.status == 2
    assert machine.commands == ["stack ls --json --non-interactive"]


def test_next_steps_name_every_address(capfd: pytest.CaptureFixture[str]) -> None:
    values = {
        "contract_version": "1",
        "otlp_grpc_endpoint": "http://127.0.0.1:4317",
        "otlp_http_endpoint": "http://127.0.0.1:4318",
        "grafana_url": "http://127.0.0.1:3000",
        "grafana_admin_user": "admin",
        "traces_ui_url": "http://127.0.0.1:16686",
        "metrics_query_url": "http://127.0.0.1:9090",
        "logs_query_url": "http://127.0.0.1:3100",
        "sdk_environment": "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317",
    }
    session: Any = SimpleNamespace(
        outputs=lambda: StackOutputs(values), site=SimpleNamespace(ways_in=lambda: "")
    )
    lifecycle.show_next_steps(session)
    text = capfd.readouterr().out
    ports = Settings.load({}).published_ports()
    assert all(f":{ports[key][1]}" in text for key in ("ingest.grpcPort", "ingest.httpPort", "grafana.port"))
    assert values["sdk_environment"] in text
    assert "make password" in text
