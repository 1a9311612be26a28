"""A stack of phase 1 or 2 on a Docker Engine: its addresses, its containers, and how they are hurt."""

from __future__ import annotations

import os
import signal as signals
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
from docker.errors import NotFound
from docker.models.containers import Container

from tests.support.containers import run
from tests.support.numbered import Load
from tests.support.stored import jaeger_traces
from tests.support.waiting import until

STORES = ("loki", "prometheus", "jaeger")
RESTART_SECONDS = 60.0


def _is_well(container: Container) -> bool:
    state = container.attrs["State"]
    return (state["Status"], state.get("Health", {}).get("Status", "healthy")) == ("running", "healthy")


@dataclass(frozen=True, kw_only=True)
class Site:
    """A running stack on Docker.

    Attributes:
        client: API of its Docker Engine.
        address: where its ports are published.
        grpc, http, loki, prometheus, jaeger, haproxy: those ports.
    """

    client: docker.DockerClient
    address: str
    grpc: int = 4317
    http: int = 4318
    loki: int = 3100
    prometheus: int = 9090
    jaeger: int = 16686
    haproxy: int = 8404

    @property
    def target(self) -> str:
        """``host:port`` of OTLP over gRPC."""
        return f"{self.address}:{self.grpc}"

    @property
    def web_target(self) -> str:
        """Address of OTLP over HTTP."""
        return f"http://{self.address}:{self.http}"

    def get(self, port: int, path: str, **parameters: str | int) -> Any:
        """Ask a store's HTTP API."""
        answer = httpx.get(f"http://{self.address}:{port}{path}", params=parameters, timeout=30)
        return answer.raise_for_status().json()

    def traces(self, load: Load, kind: str) -> Iterator[tuple[str, set[str]]]:
        """See ``Stores``."""
        return jaeger_traces(self, load, kind)

    def container(self, name: str) -> Container:
        """Give a container as it is now."""
        return self.client.containers.get(name)

    def kill(self, name: str) -> None:
        """End a program with SIGKILL from outside its container: Docker restarts it as after a crash."""
        container = self.container(name)
        before = container.attrs["State"]["StartedAt"]
        os.kill(container.attrs["State"]["Pid"], signals.SIGKILL)

        def is_back() -> bool:
            state = self.container(name).attrs["State"]
            return bool(state["Running"]) and state["StartedAt"] != before

        until(f"{name} to be restarted", is_back, seconds=RESTART_SECONDS)

    def start(self, name: str) -> None:
        """Start a container that was stopped, and wait until it is healthy."""
        self.container(name).start()
        self.await_health(name)

    @contextmanager
    def away(self, *names: str) -> Iterator[None]:
        """Stop containers, and start them again afterwards."""
        for name in names:
            self.container(name).stop(timeout=60)
        try:
            yield
        finally:
            for name in names:
                self.start(name)

    def await_health(self, name: str, seconds: float = 120) -> None:
        """Wait until a program that has a health check passes it."""
        until(
            f"{name} to be healthy",
            lambda: self.container(name).attrs["State"].get("Health", {}).get("Status") == "healthy",
            seconds=seconds,
        )

    def running(self) -> dict[str, str]:
        """Give the name and the id of every container that runs."""
        return {str(one.name): str(one.id) for one in self.client.containers.list()}

    def lives(self) -> dict[str, str]:
        """Give when the program of each container that runs was started last."""
        return {str(one.name): str(one.attrs["State"]["StartedAt"]) for one in self.client.containers.list()}

    def restarts(self) -> dict[str, int]:
        """Give how often Docker has restarted each container that runs by itself, where it has."""
        counts = {str(one.name): int(one.attrs["RestartCount"]) for one in self.client.containers.list()}
        return {name: count for name, count in counts.items() if count}

    def await_everything(self, seconds: float) -> None:
        """Wait until every program that is to run does, and passes its health check if it has one."""

        def well() -> bool:
            bad = {
                str(one.name): one.attrs["State"]["Status"]
                for one in self.client.containers.list(all=True)
                if one.attrs["HostConfig"]["RestartPolicy"]["Name"] != "no" and not _is_well(one)
            }
            assert not bad, bad
            return True

        until("all programs to be healthy", well, seconds=seconds, forgive=(AssertionError, NotFound))

    def keep_logs(self, folder: Path) -> None:
        """Write the log of every container into a folder."""
        for container in self.client.containers.list(all=True):
            (folder / f"{container.name}.log").write_bytes(container.logs(timestamps=True))

    def run(self, name: str, *command: str) -> str:
        """Run a command in a container.

        Raises:
            AssertionError: it failed.
        """
        return run(self.container(name), *command)
