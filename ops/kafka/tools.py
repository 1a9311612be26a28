"""Kafka's own tools, run where the stack runs them: in the container or pod that makes or checks topics."""

from __future__ import annotations

import re
from typing import Protocol

from docker.errors import NotFound

from ops.docker.engine import FAILURES, connect
from ops.errors import OpsError
from ops.kubernetes.kubectl import Kubectl, KubectlError
from ops.project import Stack

PROGRAM = "kafka-topics"
"""Has Kafka's tools, the brokers' addresses and, for an external cluster, the credentials; not a broker."""

ANSWER_SECONDS = 120
"""Longest silence of a tool: starting Java on a busy machine, then its own time limits."""

_SCRIPT = (
    'tool=$1; shift; exec "/opt/kafka/bin/$tool.sh" --bootstrap-server "$BOOTSTRAP" '
    '${CLIENT:+--command-config "$CLIENT"} "$@"'
)
_NOISE = ("at ", "... ", "\tat ", "Processed a total of", "The consumer rebalance protocol")


class Tools(Protocol):
    """Runs one of Kafka's tools."""

    @property
    def advice(self) -> str:
        """What to type when the brokers do not answer."""

    def run(self, tool: str, *arguments: str) -> bytes:
        """Give what the tool wrote to its standard output, byte by byte.

        Args:
            tool: name of its script without the ending, such as ``kafka-topics``.
            arguments: its arguments, without the cluster's address.

        Raises:
            OpsError: it failed, or could not be started.
        """


class ContainerTools:
    """Kafka's tools in a container of a Docker Engine."""

    advice = "docker ps -a --filter name=kafka; docker logs --tail 20 kafka-1"

    def __init__(self, stack: Stack) -> None:
        """Reach the stack's Docker Engine.

        Raises:
            OpsError: it does not answer.
        """
        self._stack = stack.name
        self._api = connect(stack.docker_host, timeout=ANSWER_SECONDS).client.api

    def run(self, tool: str, *arguments: str) -> bytes:
        """Run a tool in the container; see ``Tools.run``."""
        try:
            started = self._api.exec_create(PROGRAM, command(tool, *arguments))
            output, problems = self._api.exec_start(started["Id"], demux=True)
            status = self._api.exec_inspect(started["Id"])["ExitCode"]
        except NotFound as error:
            raise _missing("container", self._stack) from error
        except FAILURES as error:
            advice = f"docker ps -a --filter name={PROGRAM}; docker start {PROGRAM}"
            raise OpsError(f"cannot run {tool} in {PROGRAM}: {error}", advice) from error
        if status != 0:
            raise _failure(tool, (problems or b"") + b"\n" + (output or b""), self.advice)
        return output or b""


class PodTools:
    """Kafka's tools in a pod of a cluster."""

    def __init__(self, kubectl: Kubectl, stack: str) -> None:
        """Use kubectl, bound to the stack's namespace."""
        self._kubectl, self._stack = kubectl, stack

    @property
    def advice(self) -> str:
        """See ``Tools.advice``."""
        return self._kubectl.typed("get", "pods", "-l", "app.kubernetes.io/name=kafka")

    def run(self, tool: str, *arguments: str) -> bytes:
        """Run a tool in the pod; see ``Tools.run``."""
        run = ["exec", f"deployment/{PROGRAM}", "--", *command(tool, *arguments)]
        try:
            return self._kubectl.run(*run, seconds=ANSWER_SECONDS)
        except KubectlError as error:
            if error.absent:
                raise _missing("deployment", self._stack) from error
            if _ENDED.search(error.said):
                raise _failure(tool, _ENDED.sub("", error.said).encode(), self.advice) from error
            raise


_ENDED = re.compile(r"command terminated with exit code \d+\s*$")
"""What kubectl adds when the command, and not kubectl itself, has failed."""


def command(tool: str, *arguments: str) -> list[str]:
    """Give the command that runs a tool in ``PROGRAM``, which knows the brokers and how to log in."""
    return ["bash", "-c", _SCRIPT, "bash", tool, *arguments]


def _missing(what: str, stack: str) -> OpsError:
    return OpsError(
        f"no {what} {PROGRAM} where the stack {stack} runs",
        f"make up STACK={stack}; with kafka.mode: strimzi there is none: use the tools of that cluster",
        status=2,
    )


def _failure(tool: str, output: bytes, advice: str) -> OpsError:
    """Report a tool's failure by the line that names it, without its stack trace."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    telling = [line for line in lines if line and not line.startswith(_NOISE)]
    named = [line for line in telling if "Exception" in line or line.startswith("Error")]
    said = (named or telling or ["it said nothing"])[0]
    return OpsError(f"{tool}: {said}", advice)
