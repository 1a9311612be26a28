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
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
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
NETWORK = "10.213.255.0/30"
NAMES_OUTSIDE = ("timeout:1", "attempts:1")
"""No name server can be reached from there: a lookup, perhaps of an address's name, waits no longer."""

START_SECONDS, STOP_SECONDS, TURN_SECONDS = 60.0, 120.0, 500.0


def obstacle() -> str:
    """Why no second engine can be started here; empty when one can."""
    if os.geteuid() != 0:
        return "only root can start a Docker Engine for the tests alone"
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


@dataclass(kw_only=True)
class OwnEngine:
    """The engine while it runs.

    Attributes:
        client: its API.
        process: the engine itself.
    """

    client: docker.DockerClient
    process: subprocess.Popen[bytes]

    def restart(self, *, kill: bool) -> None:
        """Restart it with all of its containers, as when the machine is rebooted.

        Namespaces, addresses and what is in ``/run`` are new then; containers come back by their restart
        policy. ``kill`` ends the engine and every process in its containers at once, without a word.
        """
        with _nowhere():
            if kill:
                _kill(self.client)
            self.stop()
            shutil.rmtree(RUN / "exec", ignore_errors=True)
            self.process = _start()
        _connect(self.process).close()

    def stop(self) -> None:
        """Stop it."""
        _stop()
        self.process.wait(STOP_SECONDS)


@contextmanager
def running() -> Iterator[OwnEngine]:
    """Run the engine, empty except for its images; afterwards only those images are left."""
    with ExitStack() as cleanup:
        cleanup.enter_context(_turn())
        _stop()
        _log().unlink(missing_ok=True)
        process = _start()
        cleanup.callback(_stop)
        engine = OwnEngine(client=_connect(process), process=process)
        cleanup.callback(engine.stop)
        cleanup.callback(engine.client.close)
        empty(engine.client)
        cleanup.callback(empty, engine.client)
        yield engine


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
    """Start it once its address is there, as on a machine: it may start containers that publish on it."""
    options = [
        f"--data-root={store.folder(FOLDER)}",
        f"--exec-root={RUN}/exec",
        f"--pidfile={_pid_file()}",
        f"--host={HOST}",
        *(f"--dns-opt={option}" for option in NAMES_OUTSIDE),
    ]
    after_a_word = ("sh", "-c", 'read -r _ && exec dockerd "$@" </dev/null', "sh")
    command = ["unshare", "--net", "--mount", *after_a_word, *options]
    with _log().open("a") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _join(process.pid)
        stdin = process.stdin
        assert stdin is not None
        with stdin:
            stdin.write(b"\n")
    except BaseException:
        process.kill()
        raise
    return process


def _connect(process: subprocess.Popen[bytes]) -> docker.DockerClient:
    def answering() -> docker.DockerClient:
        assert process.poll() is None, f"dockerd ended with status {process.returncode}; see {_log()}"
        return docker.DockerClient(base_url=HOST, version="auto", timeout=120)

    what = f"the tests' Docker Engine (log: {_log()})"
    return until(what, answering, seconds=START_SECONDS, forgive=(DockerException,))


def _join(process: int) -> None:
    """Connect the network namespace that a process begins with this machine's."""
    own = Path("/proc/self/ns/net").readlink()
    namespace = Path(f"/proc/{process}/ns/net")
    until("a network namespace", lambda: namespace.readlink() != own, seconds=START_SECONDS, pause=0.05)
    inside = ("nsenter", f"--net={namespace}")
    _run("ip", "link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", str(process))
    _run("ip", "address", "add", f"{OUTER_ADDRESS}/30", "dev", LINK)
    _run("ip", "link", "set", LINK, "up")
    _run(*inside, "ip", "address", "add", f"{ADDRESS}/30", "dev", "eth0")
    for interface in ("eth0", "lo"):
        _run(*inside, "ip", "link", "set", interface, "up")


@contextmanager
def _nowhere() -> Iterator[None]:
    """While the link is gone, let nobody else take what is sent to the engine, such as a proxy far away."""
    route = ("unreachable", NETWORK, "metric", "1000")  # the link's own, while there is one, comes before it
    _run("ip", "route", "add", *route)
    try:
        yield
    finally:
        _run("ip", "route", "del", *route)


def _stop() -> None:
    """End the engine, even one that an interrupted run left behind."""
    if not _pid_file().is_file():
        return
    process = _process()
    if not _is_gone(process):
        os.kill(int(process.name), signal.SIGTERM)
    _await_the_end(process)


def _kill(client: docker.DockerClient) -> None:
    """End the engine, what it runs with and every process in its containers at once."""
    engine = _process()
    first = [int(one.attrs["State"]["Pid"]) for one in client.containers.list()]
    helpers = [int(one.name) for one in _processes() if _shares(one, engine) and one.name != engine.name]
    for number in (int(engine.name), *helpers, *first):  # the engine first: it restarts containers
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    _await_the_end(engine)


def _await_the_end(engine: Path) -> None:
    until("the end of the tests' Docker Engine", lambda: _is_gone(engine), seconds=STOP_SECONDS)
    _pid_file().unlink(missing_ok=True)
    until("the end of its network", lambda: not Path(f"/sys/class/net/{LINK}").exists(), seconds=STOP_SECONDS)


def _process() -> Path:
    return Path("/proc") / _pid_file().read_text().strip()


def _processes() -> list[Path]:
    return [one for one in Path("/proc").iterdir() if one.name.isdigit()]


def _is_gone(process: Path) -> bool:
    try:
        return str(RUN) not in (process / "cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def _shares(process: Path, engine: Path) -> bool:
    """Whether a process sees the mounts of the engine alone, as containerd and what holds containers do."""
    try:
        return (process / "ns/mnt").readlink() == (engine / "ns/mnt").readlink()
    except OSError:
        return False


def _log() -> Path:
    return store.log_file("tests-dockerd")


def _pid_file() -> Path:
    return RUN / "dockerd.pid"


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr.strip()}")
