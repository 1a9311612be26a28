"""Grafana's database outside the stack: a real PostgreSQL that takes TLS only, by settings alone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.cluster.pki import Identity, Signed, signed
from tests.lab.debian import POSTGRES, POSTGRES_MAJOR
from tests.stores.conftest import SMALL
from tests.stores.making import write
from tests.stores.replicas import Running, start
from tests.stores.rooted import root_with
from tests.support.manifests import tree
from tests.support.program import run_program
from tests.support.standin import built
from tests.support.waiting import until

pytestmark = pytest.mark.long

SERVER, GRAFANA = "127.0.59.1", "127.0.59.2"
PORT = 6432
NAMED, UNNAMED = "grafana.db.example.com", "alias.db.example.com"
"""Two names of the server; its certificate has the first one only."""

PASSWORD = "p@ss:/?%#;&=word"
PROGRAMS = f"/usr/lib/postgresql/{POSTGRES_MAJOR}/bin"
INITIALISE = f"""
set -eu
install -d -o postgres -m 700 /data
chown postgres /server.key && chmod 600 /server.key
as() {{ setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }}
as {PROGRAMS}/initdb -D /data --no-sync --username=grafana --pwfile=/password --auth=scram-sha-256
echo 'CREATE DATABASE grafana' | as {PROGRAMS}/postgres --single -D /data postgres
echo 'hostssl all all all scram-sha-256' > /data/pg_hba.conf
"""
OPTIONS = {
    "listen_addresses": SERVER,
    "port": str(PORT),
    "unix_socket_directories": "",
    "ssl": "on",
    "ssl_cert_file": "/server.crt",
    "ssl_key_file": "/server.key",
}
WITH_HOSTS = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"')
"""Gives a program host names of its own."""

READY_SECONDS = 60.0


def certificate() -> Signed:
    return signed(Identity(name="postgres", user="postgres", hosts=(NAMED,)))


@pytest.fixture(scope="module")
def known() -> Signed:
    """The server's certificate."""
    return certificate()


@pytest.fixture(scope="module", autouse=True)
def server(known: Signed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run PostgreSQL for all tests."""
    home = tmp_path_factory.mktemp("postgres")
    with root_with(POSTGRES, home / "root") as root:
        root.put({"/server.crt": known.certificate, "/server.key": known.key, "/password": PASSWORD})
        subprocess.run(root.command("/bin/sh", "-c", INITIALISE), check=True, capture_output=True)
        options = [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
        command = root.command(f"{PROGRAMS}/postgres", "-D", "/data", *options, user="postgres:postgres")
        found = start("postgres", command, home, {})
        try:
            until("PostgreSQL to be ready", lambda: is_ready(found), seconds=READY_SECONDS)
            yield found
        finally:
            found.end()


def is_ready(server: Running) -> bool:
    server.require_alive()
    return "ready to accept connections" in server.log.read_text()


@dataclass(frozen=True, kw_only=True)
class Case:
    """What the settings say about the server.

    Attributes:
        host: its name.
        tls: how to connect.
        authority: whose certificate the Secret has: the server's signer, another one, or none is named.
        password: what the Secret has.
        said: why Grafana does not start; empty if it does.
    """

    host: str = NAMED
    tls: str = "verify-full"
    authority: str = "known"
    password: str = PASSWORD
    said: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """The section ``postgres``."""
        given = {"mode": "external", "host": self.host, "port": PORT, "passwordSecret": "grafana-database"}
        named = {"caSecret": "grafana-database"} if self.authority else {}
        return {**given, **named, "tls": self.tls}


CASES = {
    "verified": Case(),
    "another name": Case(host=UNNAMED, said=f"certificate is valid for {NAMED}, not {UNNAMED}"),
    "another authority": Case(authority="another", said="certificate signed by unknown authority"),
    "no authority": Case(authority="", said="certificate signed by unknown authority"),
    "encrypted only": Case(host=UNNAMED, tls="require", authority=""),
    "not encrypted": Case(tls="disable", authority="", said="no encryption"),
    "another password": Case(password="wrong", said="password authentication failed"),
}


@pytest.mark.parametrize("name", CASES)
def test_grafana_reaches_its_database_if_the_settings_say_how(
    known: Signed, tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    authority = {"known": known.authority, "another": certificate().authority}.get(case.authority)
    with grafana(case, authority, tmp_path) as found:
        if case.said:
            assert found.process.wait(timeout=READY_SECONDS) == 1
            assert case.said in found.log.read_text()
        else:
            until("Grafana to be ready", lambda: is_healthy(found), seconds=READY_SECONDS)


@contextmanager
def grafana(case: Case, authority: str | None, folder: Path) -> Iterator[Running]:
    """Run the stand-in with the files and variables of Grafana's container."""
    config = {**SMALL, "postgres": case.settings}
    objects = tree(run_program(config), config)
    program = objects.program("grafana")
    etc, data = folder / "etc", folder / "data"
    data.mkdir()
    secrets = {
        "secrets/database-password": case.password,
        "secrets/admin-password": "of the administrator",
        "secrets/secret-key": "of this test",
        **({} if authority is None else {"secrets/database-ca.crt": authority}),
    }
    write({**moved(objects.files(program), etc), **secrets}, etc)
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{SERVER} {NAMED} {UNNAMED}\n")
    variables = {
        **moved(program.environment(), etc),
        "GF_PATHS_CONFIG": str(etc / "grafana.ini"),
        "GF_PATHS_PROVISIONING": str(etc / "provisioning"),
        "GF_PATHS_DATA": str(data),
        "GF_SERVER_HTTP_ADDR": GRAFANA,
    }
    found = start("grafana", [*WITH_HOSTS, str(hosts), str(built()), "server"], folder, variables)
    try:
        yield found
    finally:
        found.end()


def moved(texts: Mapping[str, str], etc: Path) -> dict[str, str]:
    """Give texts that name files as they lie on this machine."""
    return {key: text.replace("/etc/grafana", str(etc)) for key, text in texts.items()}


def is_healthy(grafana: Running) -> bool:
    grafana.require_alive()
    try:
        answer = httpx.get(f"http://{GRAFANA}:3000/api/health", timeout=5)
    except httpx.TransportError:
        return False
    return answer.is_success and bool(answer.json()["database"] == "ok")
