"""Namespaces that are not needed any more: what is in them ends beside the next tests."""

from __future__ import annotations

from tests.lab.cluster import kubectl
from tests.support.waiting import until

GONE_SECONDS = 480.0
"""A Tempo that was just asked may wait for its end until it is killed, after 310 s (docs/phase4.md)."""


def let_go(name: str) -> None:
    """Have a namespace removed with all that it holds, without waiting for that."""
    kubectl.run("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def await_gone(name: str) -> None:
    """Wait until nothing is left of a namespace that was let go: only then can it be made again."""
    until(f"namespace {name} to be gone", lambda: not _phase(name), seconds=GONE_SECONDS)


def await_all_gone() -> None:
    """Wait until nothing is left of any that was let go."""
    found = kubectl.run("get", "namespaces", "--output=jsonpath={.items[*].metadata.name}")
    for name in found.split():
        if _phase(name) == "Terminating":
            await_gone(name)


def _phase(name: str) -> str:
    return kubectl.run("get", "namespace", name, "--ignore-not-found", "--output=jsonpath={.status.phase}")
