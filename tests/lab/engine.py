"""Starts a Docker Engine where there is none and this is root; leaves any other engine alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import docker
from docker.errors import DockerException
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.lab import debian, store
from tests.lab.errors import LabError
from tests.lab.progress import say, step, tail

SOCKET = Path("/var/run/docker.sock")
_DEADLINE_SECONDS = 60.0


def client() -> docker.DockerClient:
    """A client of the engine that ``DOCKER_HOST`` names, or of the local one.

    Raises:
        LabError: when it does not answer.
    """
    try:
        found = docker.from_env()
        found.ping()
    except DockerException as error:
        place = os.environ.get("DOCKER_HOST", f"unix://{SOCKET}")
        raise LabError(f"no Docker Engine answers at {place}: {error}") from error
    return found


def ensure() -> docker.DockerClient:
    """Return a client of a running engine; install and start one when there is none.

    Raises:
        LabError: when ``DOCKER_HOST`` names an engine that is down, when this is not root, or when the
            engine does not start.
    """
    try:
        return client()
    except LabError as error:
        if "DOCKER_HOST" in os.environ:
            raise LabError(f"{error}\nStart that engine, or unset DOCKER_HOST to use a local one.") from error
        if os.geteuid() != 0:
            raise LabError(f"{error}\nStart Docker, or run as root so that the lab can start it.") from error
    debian.ensure_package("dockerd", "docker.io", "iptables")
    debian.ensure_package("iptables", "iptables")
    return _start()


def _start() -> docker.DockerClient:
    log = store.log_file("dockerd")
    with step("start the Docker Engine"), log.open("w") as out:
        # The engine outlives this program, so it gets a session of its own and no pipe that would close.
        process = subprocess.Popen(
            [shutil.which("dockerd") or "dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        found = _wait(process, log)
    say(f"Docker Engine {found.version()['Version']}, process {process.pid}, log {log}")
    return found


def _wait(process: subprocess.Popen[bytes], log: Path) -> docker.DockerClient:
    attempts = Retrying(
        retry=retry_if_exception_type(LabError),
        wait=wait_fixed(0.3),
        stop=stop_after_delay(_DEADLINE_SECONDS),
    )
    try:
        for attempt in attempts:
            with attempt:
                if process.poll() is not None:
                    break
                return client()
    except RetryError as error:
        raise LabError(f"dockerd did not answer within {_DEADLINE_SECONDS:.0f} s:\n{tail(log)}") from error
    raise LabError(f"dockerd ended with status {process.returncode}:\n{tail(log)}\nThe whole log: {log}")
