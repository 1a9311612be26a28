"""PostgreSQL as phase 4 runs it, with its data kept and its password changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from docker.models.containers import Container

from components.images import CATALOGUE
from ops.project import ROOT
from tests.support.containers import archive, execute
from tests.support.docker_engine import Engine
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS
from tests.support.waiting import until

IMAGE = CATALOGUE["postgres"]
VOLUME = "otel-stack-test-postgres"
READY_SECONDS = 90.0
FIRST, SECOND = "of the first stack", 'it\'s "another" one'
PAGE = ROOT / "docs" / "phase4.md"
DUMPED = "/tmp/grafana.dump"  # noqa: S108 - inside the container
DUMP = "pg_dump --format=custom"


@pytest.fixture(scope="module")
def rendered() -> Tree:
    settings = OBJECT_VARIANTS["phase4-small"]
    return tree(run_program(settings), settings)


@pytest.fixture
def volume(docker_engine: Engine) -> Iterator[str]:
    """A volume for the data."""
    docker_engine.provide([IMAGE.reference])
    made = docker_engine.client.volumes.create(VOLUME)
    try:
        yield VOLUME
    finally:
        made.remove()


@contextmanager
def _server(engine: Engine, rendered: Tree, volume: str, password: str) -> Iterator[Container]:
    """Run the server with a password until it answers."""
    program = rendered.program("postgres")
    (spec,) = program.containers
    environment = program.environment()
    secret = environment["POSTGRES_PASSWORD_FILE"]
    home = secret.removesuffix("/secrets/password")
    files = {f"{home}/{path}": text for path, text in rendered.files(program).items()}
    container = engine.client.containers.create(
        IMAGE.reference,
        entrypoint=spec["command"],
        command=spec["args"],
        environment=environment,
        user=f"{IMAGE.uid}:{IMAGE.gid}",
        network_mode="none",
        volumes={volume: {"bind": environment["PGDATA"].removesuffix("/pgdata"), "mode": "rw"}},
    )
    try:
        container.put_archive(
            "/", archive({**files, secret: password}, uid=IMAGE.uid, gid=IMAGE.gid, mode=0o440)
        )
        container.start()
        ready = spec["readinessProbe"]["exec"]["command"]
        until("PostgreSQL to answer", lambda: _is_ready(container, ready), seconds=READY_SECONDS)
        yield container
    finally:
        container.stop(timeout=30)
        container.remove(force=True)


def _is_ready(container: Container, command: list[str]) -> bool:
    container.reload()
    assert container.status != "exited", container.logs().decode(errors="replace")
    return bool(container.exec_run(command).exit_code == 0)


def _sql(container: Container, password: str, statement: str) -> tuple[bool, str]:
    """Run a statement over TCP, where the password is asked for; tell whether it was, and the output."""
    command = ("psql", "-h", "127.0.0.1", "-U", "grafana", "-d", "grafana", "-Atc", statement)
    status, text = execute(container, *command, variables={"PGPASSWORD": password})
    return status == 0, text.strip()


def test_data_that_was_kept_is_opened_with_the_password_of_now(
    docker_engine: Engine, rendered: Tree, volume: str
) -> None:
    """After ``destroy`` and ``up`` the generated password is another, and the data is the same."""
    with _server(docker_engine, rendered, volume, FIRST) as server:
        assert _sql(server, FIRST, "CREATE TABLE kept AS SELECT 42 AS answer")[0]
    with _server(docker_engine, rendered, volume, SECOND) as server:
        assert _sql(server, SECOND, "SELECT answer FROM kept") == (True, "42")
        done, said = _sql(server, FIRST, "SELECT 1")
        assert not done
        assert "password authentication failed" in said
        log = server.logs().decode(errors="replace")
    assert FIRST not in log
    assert "another" not in log


def test_a_server_that_was_killed_starts_again(docker_engine: Engine, rendered: Tree, volume: str) -> None:
    with _server(docker_engine, rendered, volume, FIRST) as server:
        assert _sql(server, FIRST, "CREATE TABLE kept AS SELECT 42 AS answer")[0]
        server.kill()
    with _server(docker_engine, rendered, volume, FIRST) as server:
        assert _sql(server, FIRST, "SELECT answer FROM kept") == (True, "42")


def test_the_documented_restore_brings_a_dump_back_whole_or_not_at_all(
    docker_engine: Engine, rendered: Tree, volume: str
) -> None:
    documented = re.search(r"sh -c \\\n +'(PGPASSWORD=.*?)' < grafana\.dump", PAGE.read_text(), re.DOTALL)
    assert documented is not None
    with _server(docker_engine, rendered, volume, FIRST) as server:
        for statement in ("CREATE TABLE kept AS SELECT 42 AS answer", "CREATE TABLE more (n int)"):
            assert _sql(server, FIRST, statement)[0]
        _shell(server, f"PGPASSWORD='{FIRST}' {DUMP} -h 127.0.0.1 -U grafana -d grafana > {DUMPED}")
        assert _sql(server, FIRST, "UPDATE kept SET answer = 1")[0]
        _shell(server, f"head -c $(($(wc -c < {DUMPED}) / 2)) {DUMPED} > {DUMPED}.part")
        status, _ = execute(server, "sh", "-c", f"sh -c '{documented[1]}' < {DUMPED}.part")
        assert status != 0
        assert _sql(server, FIRST, "SELECT answer FROM kept") == (True, "1")
        _shell(server, f"sh -c '{documented[1]}' < {DUMPED}")
        assert _sql(server, FIRST, "SELECT answer FROM kept") == (True, "42")


def _shell(container: Container, script: str) -> None:
    status, said = execute(container, "sh", "-c", script)
    assert status == 0, said
