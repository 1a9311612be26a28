"""The Docker Engine of a stack: how to reach it, and what it says about itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from ops.errors import OpsError

FAILURES = (DockerException, requests.exceptions.RequestException)
"""What a call of the engine's API raises; a timeout is only among the latter."""

CONNECT_TIMEOUT = 20
"""Seconds for one answer of the engine; it asks registries over its own network within this time."""

_START = "start it (Linux: sudo systemctl start docker; macOS and Windows: Docker Desktop)"
_ELSEWHERE = "if it listens elsewhere (docker context ls), set docker.host in the stack's file"
_UNREACHABLE = ("dial tcp", "no such host", "timeout", "connection refused", "proxyconnect", "x509", "eof")


@dataclass(frozen=True, kw_only=True)
class DiskUsage:
    """A file system, in bytes."""

    total: int
    free: int


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A Docker Engine that answered.

    Attributes:
        client: its API.
        host: its address.
        version: its version.
        memory: memory of its machine, in bytes.
        data_root: folder of its machine that holds images and volumes.
        mine: it runs on this machine, so that its ports and disk can be inspected from here.
    """

    client: docker.DockerClient
    host: str
    version: str
    memory: int
    data_root: str
    mine: bool

    def missing_images(self, references: Iterable[str]) -> list[str]:
        """Those images that the engine would have to pull."""
        return [reference for reference in references if not self._has(reference)]

    def _has(self, reference: str) -> bool:
        try:
            self.client.images.get(reference)
        except ImageNotFound:
            return False
        return True

    def disk(self) -> DiskUsage | None:
        """Disk where images and volumes are kept; None when that is not a folder of this machine."""
        if not self.mine:
            return None
        try:
            total, _, free = shutil.disk_usage(self.data_root)
        except OSError:
            return None
        return DiskUsage(total=total, free=free)

    def registry_problem(self, reference: str) -> str:
        """Let the engine ask the image's registry for it, with the engine's own network and logins.

        Returns:
            Why the registry cannot be reached; empty when it answered, whatever the answer.
        """
        try:
            self.client.images.get_registry_data(reference)
        except APIError as error:
            text = str(error.explanation or error)
            return text if any(sign in text.lower() for sign in _UNREACHABLE) else ""
        except requests.exceptions.Timeout:
            return f"no answer for {reference} within {CONNECT_TIMEOUT} s"
        return ""


@contextmanager
def engine_failures(advice: str = "docker info") -> Iterator[None]:
    """Turn what the engine's API raises into words.

    Raises:
        OpsError: a call inside failed, or had no answer in time.
    """
    try:
        yield
    except FAILURES as error:
        raise OpsError(f"the Docker Engine failed: {error}", advice) from error


def is_here(host: str) -> bool:
    """Tell whether an engine runs on this machine, going by its address."""
    return host.startswith("unix://")


def connect(host: str, *, timeout: int = CONNECT_TIMEOUT) -> Engine:
    """Reach a Docker Engine.

    Raises:
        OpsError: it does not answer; the message says why, the advice what to do.
    """
    try:
        client = docker.DockerClient(base_url=host, timeout=timeout, use_ssh_client=host.startswith("ssh://"))
        info = client.info()
    except FAILURES as error:
        raise _explained(host, error) from error
    return Engine(
        client=client,
        host=host,
        version=str(info.get("ServerVersion", "unknown")),
        memory=int(info.get("MemTotal", 0)),
        data_root=str(info.get("DockerRootDir", "")),
        mine=is_here(host),
    )


def _explained(host: str, error: Exception) -> OpsError:
    text = str(error)
    if host.startswith("ssh://"):
        return OpsError(
            f"cannot connect to the Docker Engine at {host}: {text}",
            f"what ssh says stands above; docker -H {host} version tries the same way. It needs a key without"
            " a prompt (ssh-agent), a known host, and a user there who may use Docker",
        )
    if "FileNotFoundError" in text:
        return OpsError(f"no Docker Engine at {host}: the socket does not exist", f"{_START}; {_ELSEWHERE}")
    if "PermissionError" in text or "Permission denied" in text:
        return OpsError(
            f"the Docker Engine at {host} refuses you: permission denied",
            "add yourself to its group (sudo usermod -aG docker $USER) and log in again",
        )
    if "ConnectionRefusedError" in text:
        return OpsError(f"the Docker Engine at {host} is not running", f"{_START}; {_ELSEWHERE}")
    return OpsError(f"cannot connect to the Docker Engine at {host}: {text}", f"{_START}; {_ELSEWHERE}")
