"""Checks before a stack is brought up."""

from __future__ import annotations

import os
import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from components.settings import Settings
from ops.docker import checks
from ops.docker.checks import check_disk, check_engine, check_memory, check_ports
from ops.docker.engine import Engine, connect
from ops.docker.names import NETWORK
from ops.docker.ports import is_taken, listening_program
from ops.errors import OpsError
from ops.pulumi.python import check_python
from tests.support.encrypted import encrypted
from tests.support.waiting import until

GIB = 2**30
Usage = namedtuple("Usage", "total used free")


def container(name: str, *ports: int, network: str = "bridge") -> dict[str, Any]:
    published = [{"PublicPort": port, "PrivatePort": port} for port in ports]
    return {"Names": [f"/{name}"], "Ports": [*published, {"PrivatePort": 8888}], "network": network}


def engine(*containers: dict[str, Any], mine: bool = True, memory: int = 16 * GIB) -> Engine:
    def listed(filters: dict[str, str] | None = None) -> list[dict[str, Any]]:
        return [one for one in containers if filters is None or one["network"] == filters["network"]]

    client: Any = SimpleNamespace(api=SimpleNamespace(containers=listed))
    return Engine(
        client=client, host="unix:///x", version="29.0", memory=memory, data_root="/var/lib/docker", mine=mine
    )


@pytest.mark.parametrize(("version", "status"), [((3, 10, 0), "ok"), ((3, 14), "ok"), ((3, 9), "fail")])
def test_python(version: tuple[int, ...], status: str) -> None:
    assert check_python(version).status == status


def test_engine_that_the_environment_does_not_name() -> None:
    assert check_engine(engine(), {}).status == "ok"
    assert check_engine(engine(), {"DOCKER_HOST": "unix:///x"}).status == "ok"
    assert "DOCKER_CONTEXT is remote" in check_engine(engine(), {"DOCKER_CONTEXT": "remote"}).advice
    finding = check_engine(engine(), {"DOCKER_HOST": "unix:///run/user/1000/docker.sock"})
    assert finding.status == "warn"
    assert "docker.host" in finding.advice


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_listening_program_is_named_with_its_process(listener: int) -> None:
    assert is_taken("127.0.0.1", listener)
    assert listening_program(listener).endswith(f"(process {os.getpid()})")


def test_port_of_a_closed_listener_is_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    assert not is_taken("127.0.0.1", port)


def fake_proc(folder: Path, *, inode: str, port: int) -> Path:
    (folder / "net").mkdir(parents=True)
    head = "sl local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode\n"
    line = f"   0: 0100007F:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 {inode}\n"
    (folder / "net" / "tcp").write_text(head + line)
    process = folder / "4242"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("nginx\n")
    (process / "fd" / "7").symlink_to("socket:[999]")
    return folder


def test_listener_is_found_through_its_socket(tmp_path: Path) -> None:
    assert listening_program(4317, fake_proc(tmp_path, inode="999", port=4317)) == "nginx (process 4242)"


def test_listener_that_has_just_ended_is_said_so(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, inode="999", port=4317)
    (proc / "4242" / "comm").unlink()
    assert listening_program(4317, proc) == "a program that has just ended (process 4242)"


def test_name_of_a_listener_may_be_cut_within_a_letter(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, inode="999", port=4317)
    (proc / "4242" / "comm").write_bytes("größe".encode()[:3] + b"\n")
    assert listening_program(4317, proc).endswith("(process 4242)")


def test_listener_that_may_not_be_looked_at_is_said_so(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path, inode="1", port=4317)
    assert "sudo ss -ltnp" in listening_program(4317, proc)
    assert "sudo ss -ltnp" in listening_program(1, tmp_path / "nothing")


def test_what_is_published_on_another_address_does_not_hide_who_has_this_one(listener: int) -> None:
    """A stack that gets TLS has the port on loopback already."""
    made = encrypted("localhost", address="127.0.0.1", grpcPort=listener)
    plain = {"bindAddress": "127.0.0.2", "grpcPort": listener}
    settings = Settings.load({**made, "ingest": {**plain, **made["ingest"]}})
    own = {**container("otel-collector", network=NETWORK), "Ports": [published("127.0.0.2", listener)]}
    found = [one for one in check_ports(settings, engine(own)) if one.name == f"port {listener}"]
    assert [one.status for one in found] == ["ok", "fail"]
    assert f"(process {os.getpid()})" in found[1].found
    assert "ingest.tls.grpcPort" in found[1].advice


def test_what_is_published_everywhere_has_every_address() -> None:
    for address in ("0.0.0.0", "::", "192.0.2.10"):
        own = {**container("signoz"), "Ports": [published(address, 4317)]}
        found = [one for one in check_ports(Settings.load({}), engine(own)) if one.name == "port 4317"]
        assert [one.status for one in found] == ["ok" if address == "192.0.2.10" else "fail"]


def test_an_address_of_another_machine_is_told() -> None:
    settings = Settings.load({"ingest": {"bindAddress": "192.0.2.10"}})
    found = {one.name: one for one in check_ports(settings, engine())}["port 192.0.2.10:4317"]
    assert (found.status, found.found) == ("fail", "no address of this machine")
    assert "ingest.bindAddress" in found.advice
    assert all(one.status == "ok" for one in check_ports(settings, engine(mine=False)))


def published(address: str, port: int) -> dict[str, Any]:
    return {"IP": address, "PublicPort": port, "PrivatePort": port, "Type": "tcp"}


def ports_with(monkeypatch: pytest.MonkeyPatch, found: Engine, *taken: int) -> dict[str, Any]:
    monkeypatch.setattr(checks, "is_taken", lambda _address, port: port in taken)
    monkeypatch.setattr(checks, "listening_program", lambda _port: "nginx (process 7)")
    return {one.name: one for one in check_ports(Settings.load({}), found)}


def test_free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = ports_with(monkeypatch, engine())
    assert {one.status for one in findings.values()} == {"ok"}
    assert set(findings) == {f"port {port}" for port in (4317, 4318, 16686, 9090, 3100, 3000)}


def test_ports_of_the_running_stack_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = ports_with(monkeypatch, engine(container("otel-collector", 4317, 4318, network=NETWORK)), 4317)
    assert findings["port 4317"].status == "ok"
    assert "own container otel-collector" in findings["port 4317"].found


def test_port_taken_by_another_container_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = ports_with(monkeypatch, engine(container("signoz", 4317)), 4317)["port 4317"]
    assert (finding.status, finding.found) == ("fail", "taken by container signoz")
    assert "ingest.grpcPort" in finding.advice


def test_port_taken_by_a_program_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = ports_with(monkeypatch, engine(), 3000)["port 3000"]
    assert (finding.status, finding.found) == ("fail", "taken by nginx (process 7)")
    assert "grafana.port" in finding.advice


def test_ports_of_this_machine_do_not_matter_for_a_remote_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ports_with(monkeypatch, engine(mine=False), 3000)["port 3000"].status == "ok"


def meminfo(folder: Path, available: int) -> Path:
    path = folder / "meminfo"
    path.write_text(f"MemTotal: 1 kB\nMemAvailable: {available // 1024} kB\n")
    return path


@pytest.mark.parametrize(
    ("total", "available", "running", "status"),
    [
        (16 * GIB, 8 * GIB, False, "ok"),
        (2 * GIB, 2 * GIB, False, "warn"),
        (16 * GIB, GIB // 4, False, "fail"),
        (16 * GIB, GIB // 4, True, "ok"),
    ],
)
def test_memory(tmp_path: Path, total: int, available: int, running: bool, status: str) -> None:
    found = engine(memory=total)
    finding = check_memory(Settings.load({}), found, running=running, meminfo=meminfo(tmp_path, available))
    assert finding.status == status
    assert bool(finding.advice) == (status != "ok")


@pytest.mark.parametrize("text", [None, "MemTotal: 1 kB\n"])
def test_memory_is_the_engines_where_this_machine_does_not_say(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "meminfo"
    if text is not None:
        file.write_text(text)
    finding = check_memory(Settings.load({}), engine(memory=16 * GIB), running=False, meminfo=file)
    assert (finding.status, finding.found[:9]) == ("ok", "16.0 GiB ")


def test_three_brokers_and_both_tiers_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffered = Settings.load({"phase": 2, "sizing": {"preset": "medium"}})
    stored = Settings.load({"phase": 1, "sizing": {"preset": "medium"}})
    few, many = meminfo(tmp_path, 6 * GIB), engine(memory=64 * GIB)
    assert check_memory(stored, many, running=False, meminfo=few).status == "ok"
    finding = check_memory(buffered, many, running=False, meminfo=few)
    assert finding.status == "fail"
    assert "may take 34.9 GiB" in finding.found
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(9000 * GIB, 0, 7900 * GIB))
    assert check_disk(stored, many, []).status == "ok"
    assert check_disk(buffered, many, []).status == "warn"


def test_memory_of_a_remote_engine_is_what_it_says(tmp_path: Path) -> None:
    found = engine(memory=16 * GIB, mine=False)
    finding = check_memory(Settings.load({}), found, running=False, meminfo=meminfo(tmp_path, 1024))
    assert finding.status == "ok"


@pytest.mark.parametrize(
    ("free", "missing", "status"),
    [
        (5000, [], "ok"),
        (20, ["loki"], "warn"),
        (3, ["loki"], "fail"),
        (1, [], "fail"),
    ],
)
def test_disk(monkeypatch: pytest.MonkeyPatch, free: int, missing: list[str], status: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(9000 * GIB, 0, free * GIB))
    assert check_disk(Settings.load({}), engine(), missing).status == status


def test_disk_that_cannot_be_seen_from_here_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def unseen(_path: str) -> Usage:
        raise FileNotFoundError

    monkeypatch.setattr(shutil, "disk_usage", unseen)
    assert check_disk(Settings.load({}), engine(), []).status == "ok"
    assert engine(mine=False).disk() is None


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("FileNotFoundError(2, 'No such file or directory')", "socket does not exist"),
        ("PermissionError(13, 'Permission denied')", "refuses you"),
        ("ConnectionRefusedError(111, 'Connection refused')", "is not running"),
        ("something else", "cannot connect"),
    ],
)
def test_unreachable_engine_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, reason: str, message: str
) -> None:
    def refuse(**_options: object) -> None:
        raise DockerException(f"Error while fetching server API version: ('Connection aborted.', {reason})")

    monkeypatch.setattr(docker, "DockerClient", refuse)
    with pytest.raises(OpsError, match=message) as caught:
        connect("unix:///var/run/docker.sock")
    assert "unix:///var/run/docker.sock" in caught.value.message
    assert caught.value.advice


def test_an_engine_on_another_machine_is_reached_with_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library needs a package for it that it does not bring along."""
    called = tmp_path / "called"
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\necho "$@" > {called}\nexit 255\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(OpsError, match=r"^cannot connect to the Docker Engine at ssh://deploy@") as caught:
        connect("ssh://deploy@docker.example.com")
    assert "ssh-agent" in str(caught.value.advice)
    arguments = until("ssh is started", called.read_text, seconds=10, pause=0.1, forgive=(FileNotFoundError,))
    assert "deploy" in arguments
    assert "docker.example.com" in arguments


def test_engine_tells_about_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    info = {"ServerVersion": "29.0", "MemTotal": GIB, "DockerRootDir": "/data"}
    options: dict[str, object] = {}

    def client(**given: object) -> SimpleNamespace:
        options.update(given)
        return SimpleNamespace(info=lambda: info)

    monkeypatch.setattr(docker, "DockerClient", client)
    found = connect("ssh://ops@node")
    assert (found.version, found.memory, found.data_root, found.mine) == ("29.0", GIB, "/data", False)
    assert options["use_ssh_client"]


def engine_with_images(images: object) -> Engine:
    client: Any = SimpleNamespace(images=images)
    return Engine(client=client, host="", version="", memory=0, data_root="", mine=True)


def test_missing_images_are_those_that_would_be_pulled() -> None:
    def get(reference: str) -> str:
        if reference == "b:1":
            raise ImageNotFound("no such image")
        return reference

    assert engine_with_images(SimpleNamespace(get=get)).missing_images(["a:1", "b:1"]) == ["b:1"]


@pytest.mark.parametrize(
    ("failure", "reachable"),
    [
        (None, True),
        (APIError("Get https://registry: dial tcp: lookup registry: no such host"), False),
        (APIError("Get https://registry: net/http: request canceled (Client.Timeout exceeded)"), False),
        (APIError("manifest unknown"), True),
        (APIError("unauthorized: authentication required"), True),
        (requests.exceptions.ReadTimeout(), False),
    ],
)
def test_registry_counts_as_reachable_when_it_answers(failure: Exception | None, reachable: bool) -> None:
    def ask(_reference: str) -> str:
        if failure:
            raise failure
        return "data"

    found = engine_with_images(SimpleNamespace(get_registry_data=ask))
    assert (found.registry_problem("a:1") == "") is reachable
