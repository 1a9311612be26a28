"""Runs the stand-in for Grafana as a process on loopback, with files of a test's own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tenacity import RetryError, retry, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.lab import grafana_build, store
from tests.lab.progress import say
from tests.support.lab import missing

CONFIGS = Path(__file__).parents[2] / "configs" / "grafana"
IMAGE_FOLDER = "/etc/grafana"
ADMIN = ("admin", "first-password")


def built() -> Path:
    """Give the stand-in's program, building it if it is not there."""
    if not grafana_build.is_built():
        if shutil.which("go") is None:
            missing("the stand-in for Grafana is not built and there is no Go to build it with")
        with store.lock(lambda: say("the lab is being prepared; waiting for it to finish")):
            if not grafana_build.is_built():
                grafana_build.build()
    return grafana_build.target() / "grafana"


@dataclass(frozen=True, kw_only=True)
class Files:
    """A server's folders under ``root``, and what it is told by its environment."""

    binary: Path
    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def provisioning(self) -> Path:
        return self.root / "provisioning"

    @property
    def dashboards(self) -> Path:
        return self.root / "dashboards"

    @property
    def data(self) -> Path:
        return self.root / "data"

    def fill(self) -> None:
        """Lay out the project's own provisioning and dashboards as the image has them."""
        self.data.mkdir()
        shutil.copytree(CONFIGS / "provisioning", self.provisioning)
        shutil.copytree(CONFIGS / "dashboards", self.dashboards)
        provider = self.provisioning / "dashboards" / "dashboards.yaml"
        provider.write_text(provider.read_text().replace(IMAGE_FOLDER, str(self.root)))

    def env(self, port: int) -> dict[str, str]:
        base = {
            "GF_PATHS_PROVISIONING": str(self.provisioning),
            "GF_PATHS_DATA": str(self.data),
            "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": str(port),
            "GF_SECURITY_ADMIN_PASSWORD": ADMIN[1],
            "GF_SECURITY_SECRET_KEY": "a-key-of-this-test",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GF_")}
        return {**inherited, **base, **self.environment}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that answers. ``stop`` returns its exit status and all that it wrote."""

    url: str
    process: subprocess.Popen[str]

    def client(self, login: tuple[str, str] | None = ADMIN) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=login, timeout=10)

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output


@contextmanager
def running(files: Files) -> Iterator[Running]:
    """Start a server and wait until its health check passes; end it when the test is over.

    :raises AssertionError: when it ends instead, with what it wrote.
    """
    port = free_port()
    process = subprocess.Popen(
        [files.binary, "server"],
        env=files.env(port),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Running(url=f"http://127.0.0.1:{port}", process=process)
    try:
        _wait_until_healthy(server)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


def _wait_until_healthy(server: Running) -> None:
    @retry(
        stop=stop_after_delay(20), wait=wait_fixed(0.05), retry=retry_if_exception_type(httpx.TransportError)
    )
    def ask() -> httpx.Response:
        if server.process.poll() is not None:
            output, _ = server.process.communicate()
            raise AssertionError(f"the server ended with {server.process.returncode}: {output}")
        return httpx.get(f"{server.url}/api/health")

    try:
        ask().raise_for_status()
    except RetryError as error:
        raise AssertionError(f"{server.url}/api/health did not answer within 20 s") from error


def refusal(files: Files) -> str:
    """What a server that is expected not to start writes.

    :raises AssertionError: when it does not end with status 1.
    """
    ended = subprocess.run(
        [files.binary, "server"],
        env=files.env(free_port()),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    return ended.stderr
