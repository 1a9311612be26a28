"""kubectl, bound to one context of one file: what happens to be in the environment is never used."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.errors import OpsError
from ops.project import Stack
from ops.pulumi.toolchain import at_hand

REQUEST_TIMEOUT = "--request-timeout=20s"
PROGRAM_SECONDS = 120.0
"""Longest time of one command: several requests on a busy machine."""

_AWAY = ("connection refused", "was refused", "no such host", "i/o timeout", "no route to host", "deadline")


class KubectlError(OpsError):
    """kubectl, or the API server behind it, refused.

    Attributes:
        said: all that it wrote to its standard error.
        absent: what was asked for does not exist.
        away: the API server did not answer.
    """

    def __init__(self, command: str, said: str) -> None:
        """Keep the last line of what it said."""
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        last = (lines or ["it said nothing"])[-1].removeprefix("error: ")
        super().__init__(f"{command}: {last}", "make doctor checks the cluster and your rights")
        self.said = said
        self.absent = "(NotFound)" in last
        self.away = any(sign in last.lower() for sign in _AWAY)


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl in one context and namespace.

    Attributes:
        program: the executable.
        kubeconfig: the file with the context.
        context: name of the context.
        namespace: of every command that takes one.
    """

    program: Path
    kubeconfig: Path
    context: str
    namespace: str

    def command(self, *arguments: str) -> list[str]:
        """The command line of a command."""
        place = [f"--kubeconfig={self.kubeconfig}", f"--context={self.context}"]
        return [str(self.program), *place, f"--namespace={self.namespace}", *arguments]

    def typed(self, *arguments: str) -> str:
        """The command line as people type it."""
        place = ["--kubeconfig", str(self.kubeconfig), "--context", self.context, "-n", self.namespace]
        return " ".join(["kubectl", *place, *arguments])

    def run(self, *arguments: str, stdin: bytes = b"", seconds: float = PROGRAM_SECONDS) -> bytes:
        """Give what a command wrote to its standard output, byte by byte.

        Raises:
            KubectlError: it failed, or did not end within ``seconds``.
        """
        name = " ".join(["kubectl", *(word for word in arguments[:2] if not word.startswith("--"))])
        try:
            ended = subprocess.run(
                self.command(*arguments), input=stdin, capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlError(name, f"not finished within {seconds:.0f} s (deadline)") from error
        if ended.returncode != 0:
            raise KubectlError(name, ended.stderr.decode(errors="replace"))
        return ended.stdout

    def json(self, *arguments: str) -> Any:
        """Give what a command says in JSON.

        Raises:
            KubectlError: it failed.
        """
        return json.loads(self.run(*arguments, REQUEST_TIMEOUT, "--output=json"))

    def objects(self, kinds: str, *arguments: str) -> list[Mapping[str, Any]]:
        """Give the objects of one or more kinds, by default all in the stack's namespace.

        Raises:
            KubectlError: it failed.
        """
        items: list[Mapping[str, Any]] = self.json("get", kinds, *arguments)["items"]
        return items

    def exists(self, kind: str, name: str) -> bool:
        """Tell whether there is such an object.

        Raises:
            KubectlError: the API server did not say.
        """
        return bool(self.run("get", kind, name, REQUEST_TIMEOUT, "--ignore-not-found", "--output=name"))

    def documents(self, objects: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Post objects that only ask something, such as access reviews, and give the answers.

        Raises:
            KubectlError: it failed.
        """
        asked = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).encode()
        rest = self.run("create", "--filename=-", REQUEST_TIMEOUT, "--output=json", stdin=asked).decode()
        decoder = json.JSONDecoder()
        while rest := rest.lstrip():
            document, end = decoder.raw_decode(rest)
            yield document
            rest = rest[end:]


def find_program(environ: Mapping[str, str]) -> Path | None:
    """Find kubectl on PATH, or in the lab if that is prepared."""
    found = shutil.which("kubectl", path=environ.get("PATH"))
    if found is None:
        with suppress(OpsError):
            found = shutil.which("kubectl", path=at_hand(environ).get("PATH"))
    return None if found is None else Path(found)


def kubectl_of(stack: Stack, environ: Mapping[str, str]) -> Kubectl:
    """Bind kubectl to a stack's cluster.

    Raises:
        OpsError: there is no kubectl, or the stack names no cluster.
    """
    section = stack.settings.kubernetes
    if section.kubeconfig is None or section.context is None:
        raise OpsError(
            f"the stack {stack.name} names no cluster: it only writes manifests",
            f"make render STACK={stack.name}; or set kubernetes.kubeconfig and kubernetes.context",
            status=2,
        )
    program = find_program(environ)
    if program is None:
        raise OpsError("no kubectl on PATH", "install it: https://kubernetes.io/docs/tasks/tools/", status=2)
    return Kubectl(
        program=program,
        kubeconfig=stack.root / Path(section.kubeconfig).expanduser(),
        context=section.context,
        namespace=section.namespace,
    )
