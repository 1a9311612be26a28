"""Pods whose programs neither end nor answer, frozen with all their connections."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.lab.cluster import runtime
from tests.lab.errors import LabError
from tests.support.kubernetes_site import ClusterSite, Pod
from tests.support.waiting import until

RESTARTED_SECONDS = 240.0
"""Six checks ten seconds apart, the time that a program has to end then, 65 s for Tempo, which is asked only
once its queries are over, and the start of another one."""


@contextmanager
def frozen(pod: Pod) -> Iterator[None]:
    """Stop every process of a pod's container where it is: connections stay open, nothing is answered."""
    runtime.signal_container(pod.container, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(LabError):  # its kubelet has ended it
            runtime.signal_container(pod.container, signal.SIGCONT)


def await_restart(site: ClusterSite, pod: Pod) -> None:
    """Wait until the kubelet has started a pod's program again, and it is ready."""

    def is_back() -> bool:
        return any(one.uid == pod.uid and one.restarts > pod.restarts and one.ready for one in site.pods())

    until(f"{pod.name} to be started again", is_back, seconds=RESTARTED_SECONDS, pause=1)
