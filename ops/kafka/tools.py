"""Kafka's own tools, run where the stack runs them: in the container that keeps the topics."""

from __future__ import annotations

from typing import Protocol

import requests
from docker.errors import DockerException, NotFound

from ops.docker_engine import connect
from ops.errors import OpsError
from ops.project import load_stack

CONTAINER = "kafka-topics"
"""Has Kafka's tools, the brokers' addresses and, for an external cluster, the credentials; is no broker."""

BROKERS_ADVICE = "docker ps -a --filter name=kafka; docker logs --tail 20 kafka-1"

ANSWER_SECONDS = 120
"""Longest silence of a tool: starting Java on a busy machine, then its own time limits."""

_SCRIPT = (
    'tool=$1; shift; exec "/opt/kafka/bin/$tool.sh" --bootstrap-server "$BOOTSTRAP" '
    '${CLIENT:+--command-config "$CLIENT"} "$@"'
)
_NOISE = ("at ", "... ", "\tat ", "Processed a total of", "The consumer rebalance protocol")


class Tools(Protocol):
    """Runs one of Kafka's tools."""

    def run(self, tool: str, *arguments: str) -> bytes:
        """Give what the tool wrote to its standard output, byte by byte.

        Args:
            tool: name of its script without the ending, such as ``kafka-topics``.
            arguments: its arguments, without the cluster's address.

        Raises:
            OpsError: it failed, or could not be started.
        """


class ContainerTools:
    """Kafka's tools in a container of a stack."""

    def __init__(self, stack: str) -> None:
        """Find the container.

        Raises:
            OpsError: there is no such stack, no Docker Engine, or the stack has no Kafka.
        """
        loaded = load_stack(stack)
        if loaded.settings.phase < 2:
            raise OpsError(
                f"the stack {stack} is phase {loaded.settings.phase}, which has no Kafka",
                "name a stack of phase 2 with --stack",
                status=2,
            )
        self._stack = stack
        self._api = connect(loaded.docker_host, timeout=ANSWER_SECONDS).client.api

    def run(self, tool: str, *arguments: str) -> bytes:
        """Run a tool in the container; see ``Tools.run``."""
        command = ["bash", "-c", _SCRIPT, "bash", tool, *arguments]
        try:
            started = self._api.exec_create(CONTAINER, command)
            output, problems = self._api.exec_start(started["Id"], demux=True)
            status = self._api.exec_inspect(started["Id"])["ExitCode"]
        except NotFound as error:
            raise self._missing() from error
        except (DockerException, requests.exceptions.RequestException) as error:
            advice = f"docker ps -a --filter name={CONTAINER}; docker start {CONTAINER}"
            raise OpsError(f"cannot run {tool} in {CONTAINER}: {error}", advice) from error
        if status != 0:
            raise _failure(tool, (problems or b"") + b"\n" + (output or b""))
        return output or b""

    def _missing(self) -> OpsError:
        return OpsError(
            f"no container {CONTAINER} on this Docker Engine",
            f"make up STACK={self._stack}; with kafka.createTopics: false there is none: "
            "use the tools of the external cluster",
            status=2,
        )


def _failure(tool: str, output: bytes) -> OpsError:
    """Tell a tool's failure by the line that names it, without its stack trace."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    telling = [line for line in lines if line and not line.startswith(_NOISE)]
    named = [line for line in telling if "Exception" in line or line.startswith("Error")]
    said = (named or telling or ["it said nothing"])[0]
    return OpsError(f"{tool}: {said}", BROKERS_ADVICE)
