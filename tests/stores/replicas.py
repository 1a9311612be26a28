"""Runs the stores of phase 4 as processes on loopback, each replica at an address of its own."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from components.buckets.names import PURPOSES
from tests.lab import cache
from tests.lab.cluster.pki import Signed
from tests.support.objects import Keys, Objects
from tests.support.waiting import until

START_SECONDS, END_SECONDS = 180.0, 150.0
"""A ruler waits a minute at its end for a Mimir that is not there."""
S3_HOST, TLS_HOST, S3_PORT = "127.0.40.1", "127.0.40.2", 9000
AS_HOST = (
    "unshare",
    "--uts",
    "--mount",
    "sh",
    "-c",
    'hostname "$0" && mount --bind "$1" /etc/hosts && shift && exec "$@"',
)
"""Gives a replica a host name of its own, as pods have, and the names of the others from a file."""

BUCKETS = {purpose: f"acme-dev-{purpose}" for purpose in PURPOSES}
"""As the variants of phase 4 name them."""

TENANT = {"X-Scope-OrgID": "otel-stack"}


@dataclass
class Running:
    """A program that runs.

    Attributes:
        name: for messages.
        process: the process.
        log: file with its output.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def require_alive(self) -> None:
        """Fail with the end of its log if it has ended."""
        status = self.process.poll()
        if status is not None:
            raise AssertionError(f"{self.name} ended with {status}:\n{self.tail()}")

    def tail(self) -> str:
        """Give the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait; a Tempo that was just asked may wait for ever (docs/phase4.md), and is killed."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=END_SECONDS)
            except subprocess.TimeoutExpired:
                if not self.name.startswith("tempo"):
                    raise
                self.process.kill()
                self.process.wait()


def start(name: str, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Running:
    """Start a program with its output in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **variables}, stdout=output, stderr=subprocess.STDOUT
        )
    return Running(name=name, process=process, log=log)


@dataclass(frozen=True, kw_only=True)
class ObjectService:
    """An S3 service.

    Attributes:
        address: its ``host:port``.
        folder: for files with credentials.
        buckets: what is in it.
        program: what runs.
    """

    address: str
    folder: Path
    buckets: Objects
    program: Running

    def credentials(self, store: str) -> Path:
        """Make credentials for a store's own buckets, and give their file, as AWS's tools read it."""
        file = self.folder / f"credentials-{store}"
        file.touch(0o600)
        file.write_text(self.buckets.store_keys(store, BUCKETS).file)
        return file

    def objects(self, bucket: str) -> list[str]:
        """Give the keys of all objects."""
        return self.buckets.keys_of(bucket)

    def make(self, bucket: str) -> None:
        """Make a bucket."""
        self.buckets.make(bucket)


@contextmanager
def object_service(folder: Path, *, known: Signed | None = None) -> Iterator[ObjectService]:
    """Run MinIO with keys of its own; with a certificate for ``TLS_HOST`` it is spoken to over TLS only."""
    keys, address = Keys(), f"{S3_HOST if known is None else TLS_HOST}:{S3_PORT}"
    folder.mkdir(parents=True, exist_ok=True)
    certificates = folder / "certificates"
    authority = None if known is None else _write(known, certificates)
    options = ["--address", address, "--certs-dir", str(certificates)]
    command = [str(cache.binary("minio")), "server", *options, str(folder / "data")]
    found = start("minio", command, folder, keys.variables)
    try:
        url = f"{'http' if known is None else 'https'}://{address}"
        health = f"{url}/minio/health/ready"
        verify = True if authority is None else ssl.create_default_context(cafile=str(authority))
        until("MinIO answers", lambda: answers(found, health, verify=verify), seconds=START_SECONDS)
        buckets = Objects(url=url, keys=keys, authority=authority)
        yield ObjectService(address=address, folder=folder, buckets=buckets, program=found)
    finally:
        found.end()


def _write(known: Signed, folder: Path) -> Path:
    """Write a certificate where MinIO looks for it, and give the file of who signed it, which lies beside."""
    folder.mkdir()
    (folder / "public.crt").write_text(known.certificate)
    (folder / "private.key").write_text(known.key)
    authority = folder.with_suffix(".authority")
    authority.write_text(known.authority)
    return authority


@dataclass(kw_only=True)
class Store:
    """Replicas of one store.

    Attributes:
        name: its workload.
        binary: its program.
        port: its HTTP port.
        data: data directory in its configuration.
        addresses: of the replicas.
        configuration: text of its configuration file; ``REPLICA`` stands for the address.
        folder: where everything of it lies.
        variables: environment of every replica.
        parts: address -> workload and target of a replica that runs only some of the program's parts.
        running: replica -> program.
    """

    name: str
    binary: str
    port: int
    data: str
    addresses: Sequence[str]
    configuration: Mapping[str, Any]
    folder: Path
    variables: Mapping[str, str]
    parts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)

    def begin(self, address: str) -> None:
        """Start one replica."""
        folder = self.folder / address
        (folder / "data").mkdir(parents=True, exist_ok=True)
        file = folder / "config.yaml"
        document = moved(self._local(address), self.data, folder / "data")
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        number = self.addresses.index(address) + 1
        program = [str(cache.binary(self.binary)), f"-config.file={file}", "-config.expand-env=true"]
        if address in self.parts:
            program.append(f"-target={self.parts[address][1]}")
        hosts = self.folder / "hosts"
        hosts.write_text("127.0.0.1 localhost\n" + "".join(map(self._host, self.addresses)))
        command = [*AS_HOST, f"{self.name}-{number}", str(hosts), *program]
        variables = {**self.variables, "POD_IP": address}
        self.running[address] = start(self.name, command, folder, variables)

    def begin_all(self) -> None:
        """Start all replicas and wait until each is ready."""
        for address in self.addresses:
            self.begin(address)
        for address in self.addresses:
            self.await_ready(address)

    def await_ready(self, address: str) -> None:
        """Wait until a replica is ready."""
        program = self.running[address]
        until(
            f"{self.name} at {address} is ready",
            lambda: answers(program, f"{self.url(address)}/ready"),
            seconds=START_SECONDS,
        )

    def demand_ready_without_another(self, ring: str) -> None:
        """Require that a replica gets ready while another one, shown as lost at ``ring``, cannot start."""
        _, second, third = self.addresses
        self.lose(third, ring)
        self.running.pop(second).end()
        for address in (second, third):
            self.begin(address)
            self.await_ready(address)

    def lose(self, address: str, ring: str) -> None:
        """Kill a replica, and wait until the others show it as lost at the path ``ring``."""
        self.running.pop(address).end(signal.SIGKILL)
        survivor = next(iter(self.running))
        until(
            f"{self.name} at {address} counts as lost",
            lambda: "UNHEALTHY" in httpx.get(f"{self.url(survivor)}{ring}", timeout=5).text.upper(),
            seconds=START_SECONDS,
        )

    def kill_all(self) -> None:
        """Kill all replicas at once, and start them again with their disks."""
        for program in self.running.values():
            program.process.kill()
        for program in self.running.values():
            program.end()
        self.begin_all()

    def wipe(self, address: str) -> None:
        """Stop a replica and delete its disk."""
        self.running.pop(address).end()
        shutil.rmtree(self.folder / address / "data", ignore_errors=True)

    def end(self) -> None:
        """End all replicas."""
        for program in self.running.values():
            program.process.terminate()
        for program in self.running.values():
            program.end()

    def url(self, address: str | None = None) -> str:
        """Give the address of a replica, of the first one when none is named."""
        return f"http://{address or self.addresses[0]}:{self.port}"

    def part(self, workload: str) -> str:
        """Give the address of the first replica of a workload."""
        return next(address for address, (name, _) in self.parts.items() if name == workload)

    def _local(self, address: str) -> dict[str, Any]:
        """Bind everything to the replica's address."""
        document: dict[str, Any] = yaml.safe_load(yaml.safe_dump(self.configuration))
        server = document["server"]
        server["http_listen_address"] = server["grpc_listen_address"] = address
        document["memberlist"]["bind_addr"] = [address]
        return document

    def _host(self, address: str) -> str:
        """Give the line of a replica: the names that stand for its workload, and for each replica of it."""
        name = self.parts[address][0] if address in self.parts else self.name
        return f"{address} {name} {name}-headless\n"


def moved(node: Any, before: str, after: Path) -> Any:
    """Give a configuration with all paths in one folder led to another."""
    if isinstance(node, dict):
        return {key: moved(value, before, after) for key, value in node.items()}
    if isinstance(node, list):
        return [moved(value, before, after) for value in node]
    if isinstance(node, str) and (node == before or node.startswith(f"{before}/")):
        return str(after) + node.removeprefix(before)
    return node


def answers(program: Running, url: str, *, verify: ssl.SSLContext | bool = True) -> bool:
    """Tell whether a program that must be running answers, and that all is well."""
    program.require_alive()
    try:
        return httpx.get(url, timeout=2, verify=verify).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
