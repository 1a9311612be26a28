"""Runs the Pulumi engine on a stack: the plain CLI commands, in the right environment."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ops.errors import OpsError
from ops.project import Stack
from ops.pulumi.hints import find_hint
from ops.pulumi.state import EngineState
from ops.screen import say

_KEPT_LINES = 400
NO_CLUSTER = {"KUBECONFIG": os.devnull, "KUBERNETES_SERVICE_HOST": ""}
"""Variables that let the Kubernetes plugin find no cluster: it ignores an empty kubeconfig in its settings,
so it would look where kubectl does and, in a pod, at the cluster around it."""

DOCKER_VARIABLES = ("DOCKER_CONTEXT", "DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
"""Variables that would lead the Docker plugin elsewhere: for it, a context comes before ``docker.host``."""

_COLORS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """A command whose output was shown while it ran."""

    status: int
    output: str
    interrupted: bool


class Pulumi:
    """The CLI, bound to one stack."""

    def __init__(self, stack: Stack, state: EngineState, toolchain: Mapping[str, str]) -> None:
        """Bind a stack to its state and to the variables that put a CLI on PATH."""
        self.stack = stack
        self.state = state
        self.added = {**toolchain, **state.environment, "PULUMI_SKIP_UPDATE_CHECK": "1"}

    def run(self, *arguments: str, config: bool = False) -> None:
        """Run a command of the CLI on the stack and show its output as it comes.

        Args:
            arguments: of the CLI, without ``--stack``.
            config: the command reads the stack's configuration.

        Raises:
            OpsError: it failed; a known failure is explained.
        """
        command = self.command(*arguments, config=config)
        say(f"$ {' '.join(command)}")
        if sys.stdout.isatty():
            command.append("--color=always")
        name = f"pulumi {arguments[0]}"
        ended = self._stream(command)
        if ended.interrupted:
            raise OpsError(f"{name} was interrupted", "run the same command again to continue", status=130)
        if ended.status < 0:
            raise OpsError(
                f"{name} was ended by signal {-ended.status}",
                "run the same command again to continue from there",
            )
        if ended.status != 0:
            raise self._failure(name, ended.output, shown=True)

    def answer(self, *arguments: str) -> str:
        """Give the standard output of a command of the CLI on the stack.

        Raises:
            OpsError: it failed; a known failure is explained.
        """
        return self._checked(self.command(*arguments))

    def json(self, *arguments: str) -> Any:
        """Give the parsed answer of a command that prints JSON.

        Raises:
            OpsError: it failed.
        """
        return json.loads(self.answer(*arguments))

    def command(self, *arguments: str, config: bool = False, stack: str | None = None) -> list[str]:
        """The command line of a CLI command on this stack, or on another one of the project."""
        extra = self.state.config_arguments() if config else []
        return ["pulumi", *arguments, "--stack", stack or self.stack.name, "--non-interactive", *extra]

    def exists(self) -> bool:
        """Tell whether the stack exists in its backend.

        Raises:
            OpsError: the backend does not answer.
        """
        return self.stack.name in self.names()

    def names(self) -> list[str]:
        """Give the names of the project's stacks in the backend.

        Raises:
            OpsError: the backend does not answer.
        """
        listed = json.loads(self._checked(["pulumi", "stack", "ls", "--json", "--non-interactive"]))
        return [str(one["name"]).split("/")[-1] for one in listed]

    def exported(self, stack: str, *flags: str) -> list[Mapping[str, Any]]:
        """Give the resources in the state of a stack, as the engine exports them.

        Raises:
            OpsError: there is no such stack.
        """
        answer = self._checked(self.command("stack", "export", *flags, stack=stack))
        exported: Mapping[str, Any] = json.loads(answer)
        resources: list[Mapping[str, Any]] = (exported.get("deployment") or {}).get("resources") or []
        return resources

    def make(self) -> None:
        """Create the stack in its backend if it is not there.

        With local state this happens beside the copy of the configuration, so that the salt that the engine
        writes ends up there and not in the committed file.

        Raises:
            OpsError: the engine refused.
        """
        if self.exists():
            return
        folder = self.state.config_file.parent if self.state.config_file else self.stack.root
        init = ["stack", "init", self.stack.name, "--no-select", "--non-interactive"]
        self._checked(["pulumi", "-C", str(folder), *init])

    def environment(self) -> dict[str, str]:
        """The whole environment that commands run in; a stack that only writes manifests finds no cluster."""
        elsewhere = {} if self.stack.settings.kubernetes.render is None else NO_CLUSTER
        ambient = {name: value for name, value in os.environ.items() if name not in DOCKER_VARIABLES}
        return {**ambient, **self.added, **elsewhere}

    def _checked(self, command: Sequence[str]) -> str:
        result = self._start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, problems = result.communicate()
        if result.returncode != 0:
            raise self._failure(" ".join(command[:3]), problems, shown=False)
        return output

    def _stream(self, command: Sequence[str]) -> _Ended:
        """Copy a command's output to ours line by line; an interrupt is left to the engine to handle.

        Raises:
            SystemExit: this program was told to end meanwhile; the engine has finished what it had begun.
        """
        process = self._start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        kept: deque[str] = deque(maxlen=_KEPT_LINES)
        interrupted, leaving = False, None
        while True:
            try:
                for line in process.stdout:
                    sys.stdout.write(line)
                    sys.stdout.flush()
                    kept.append(_COLORS.sub("", line))
                break
            except KeyboardInterrupt:
                interrupted = True
                say("Interrupted: the engine finishes what it has begun; interrupt again to end it at once.")
            except SystemExit as told:
                leaving = told
                process.send_signal(signal.SIGINT)
                say("Told to end: the engine finishes what it has begun; tell it again to end it at once.")
        status = process.wait()
        if leaving is not None:
            raise leaving
        return _Ended(status=status, output="".join(kept), interrupted=interrupted)

    def _start(self, command: Sequence[str], *, stdout: int, stderr: int) -> subprocess.Popen[str]:
        environment = self.environment()
        try:
            with _hangups_ignored():
                return subprocess.Popen(
                    command,
                    cwd=self.stack.root,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    text=True,
                    errors="replace",
                )
        except FileNotFoundError as error:
            raise OpsError("no pulumi on PATH", "run: make up", status=2) from error

    def _failure(self, what: str, output: str, *, shown: bool) -> OpsError:
        hint = find_hint(output, self.stack.name)
        last = _last_words(output)
        if hint is None:
            return OpsError(f"{what}: {last}", "the engine's own messages above say where" if shown else "")
        return OpsError(
            f"{what}: {hint.meaning}" if shown else f"{what}: {hint.meaning} ({last})", hint.advice
        )


@contextmanager
def _hangups_ignored() -> Iterator[None]:
    """Let the engine, which would break off, inherit that; this program gets the hangup and interrupts it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _last_words(output: str) -> str:
    """The last line that reports an error, or else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line and "error: update failed" not in line]
    return (errors or lines or ["it said nothing"])[-1]
