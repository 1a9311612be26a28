"""What pods need of their cluster, away for a while: its API and its names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.cluster import addons, components, kubectl, lifecycle, processes
from tests.support.waiting import until

SYSTEM = "--namespace=kube-system"
BACK_SECONDS = 120.0


@contextmanager
def api_away() -> Iterator[None]:
    """Kill the API server, of which there is one, and start it again afterwards."""
    known = processes.pid(components.API_SERVER)
    assert known is not None, "the API server does not run"
    processes.kill([known])
    try:
        yield
    finally:
        with lifecycle.lock():
            lifecycle.up()


@contextmanager
def names_away() -> Iterator[None]:
    """Stop CoreDNS, of which there is one pod, and start it again afterwards."""
    _scale(0)
    until("no name to be found", lambda: not addons.dns_answers(), seconds=BACK_SECONDS)
    try:
        yield
    finally:
        _scale(1)
        until("names to be found again", addons.dns_answers, seconds=BACK_SECONDS)


def _scale(replicas: int) -> None:
    kubectl.run(SYSTEM, "scale", "deployment/coredns", f"--replicas={replicas}")
    kubectl.run(SYSTEM, "rollout", "status", "deployment/coredns", f"--timeout={BACK_SECONDS:.0f}s")
