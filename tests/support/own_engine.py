"""A Docker Engine for the tests alone, beside the machine's own, so that a stack that is up stays untouched.

It runs in network and mount namespaces of its own: two engines in one network namespace delete each other's
default bridge and firewall rules. A pair of virtual interfaces joins it to the machine. Namespaces,
interfaces and mounts vanish with the process; its images stay in the lab's cache.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException

from tests.lab import store
from tests.support.waiting import until

PROGRAMS = ("dockerd", "ip", "nsenter", "unshare")
RUN = Path("/run/otel-stack-tests")
"""Sockets live here: their paths may have at most 107 characters, and a cache may be nested deeply."""
HOST = f"unix://{RUN}/docker.sock"
FOLDER = "tests-engine"
"""In the lab's cache."""
LINK = "otelstacktests"
OUTER_ADDRESS, ADDRESS = "10.213.255.1", "10.213.255.2"
"""This machine's end of the link, and the engine's, on which its containers' ports are published."""
NAMES_OUTSIDE = ("timeout:1", "attempts:1")
"""No name server can be reached from there: a lookup, perhaps of an address's name, waits no longer."""

START_SECONDS, STOP_SECONDS, TURN_SECONDS = 60.0, 60.0, 500.0


def obstacle() -> str:
    """Why no second engine can be started here; empty when one can."""
    if os.geteuid() != 0:
        return "only root can start a Docker Engine for the tests alone"
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


@contextmanager
def running() -> Iterator[docker.DockerClient]:
    """Run the engine, empty except for its images; afterwards only those images are left."""
    with ExitStack() as cleanup:
        cleanup.enter_context(_turn())
        _stop()
        process = _start()
        cleanup.callback(process.wait, STOP_SECONDS)
        cleanup.callback(_stop)
        client = _connect(process)
        cleanup.callback(client.close)
        empty(client)
        cleanup.callback(empty, client)
        yield client


def empty(client: docker.DockerClient) -> None:
    """Remove every container, network and volume of the engine, which is the tests' own."""
    for container in client.containers.list(all=True):
        container.remove(force=True, v=True)
    client.networks.prune()
    for volume in client.volumes.list():
        volume.remove(force=True)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait until no other run of the tests on this machine uses the engine."""
    RUN.mkdir(mode=0o700, exist_ok=True)
    with (RUN / "lock").open("w") as handle:

        def is_ours() -> bool:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True

        until(
            "the end of another run of the tests", is_ours, seconds=TURN_SECONDS, forgive=(BlockingIOError,)
        )
        yield


def _start() -> subprocess.Popen[bytes]:
    command = [
        *("unshare", "--net", "--mount", "dockerd"),
        f"--data-root={store.folder(FOLDER)}",
        f"--exec-root={RUN}/exec",
        f"--pidfile={_pid_file()}",
        f"--host={HOST}",
        *(f"--dns-opt={option}" for option in NAMES_OUTSIDE),
    ]
    with _log().open("w") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )


def _connect(process: subprocess.Popen[bytes]) -> docker.DockerClient:
    def answering() -> docker.DockerClient:
        assert process.poll() is None, f"dockerd ended with status {process.returncode}; see {_log()}"
        return docker.DockerClient(base_url=HOST, version="auto", timeout=120)

    what = f"the tests' Docker Engine (log: {_log()})"
    client = until(what, answering, seconds=START_SECONDS, forgive=(DockerException,))
    _join(process.pid)
    return client


def _join(process: int) -> None:
    """Connect the engine's network namespace with this machine's."""
    inside = ("nsenter", f"--net=/proc/{process}/ns/net")
    _run("ip", "link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", str(process))
    _run("ip", "address", "add", f"{OUTER_ADDRESS}/30", "dev", LINK)
    _run("ip", "link", "set", LINK, "up")
    _run(*inside, "ip", "address", "add", f"{ADDRESS}/30", "dev", "eth0")
    for interface in ("eth0", "lo"):
        _run(*inside, "ip", "link", "set", interface, "up")


def _stop() -> None:
    """End the engine, even one that an interrupted run left behind."""
    if not _pid_file().is_file():
        return
    process = Path("/proc") / _pid_file().read_text().strip()

    def is_gone() -> bool:
        try:
            return str(RUN) not in (process / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True

    if not is_gone():
        os.kill(int(process.name), signal.SIGTERM)
        until("the end of the tests' Docker Engine", is_gone, seconds=STOP_SECONDS)
    _pid_file().unlink(missing_ok=True)
    until("the end of its network", lambda: not Path(f"/sys/class/net/{LINK}").exists(), seconds=STOP_SECONDS)


def _log() -> Path:
    return store.log_file("tests-dockerd")


def _pid_file() -> Path:
    return RUN / "dockerd.pid"


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr.strip()}")
