"""Waits for the cluster's parts, with a deadline."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.lab.cluster import layout, processes
from tests.lab.errors import LabError

_DEADLINE_SECONDS = 120.0
_POLL_SECONDS = 0.3


def wait(
    what: str, condition: Callable[[], bool], process: str, *, seconds: float = _DEADLINE_SECONDS
) -> None:
    """Wait until a condition is met, for as long as a process runs.

    Raises:
        LabError: with what was waited for, when the process has ended or time is up.
    """

    def met() -> bool:
        processes.require_running(process)
        return condition()

    polls = Retrying(
        retry=retry_if_result(lambda ready: not ready),
        wait=wait_fixed(_POLL_SECONDS),
        stop=stop_after_delay(seconds),
    )
    try:
        polls(met)
    except RetryError as error:
        raise LabError(
            f"waited {seconds:.0f} s for {what}. Logs: {layout.log(process).parent}/cluster-*.log; "
            f"pods: kubectl --kubeconfig {layout.kubeconfig()} get pods -A"
        ) from error


def wait_while(busy: Callable[[], bool], act: Callable[[], None]) -> None:
    """Do something again and again while a condition holds, for a quarter of the deadline at most."""
    polls = Retrying(
        retry=retry_if_result(bool),
        wait=wait_fixed(_POLL_SECONDS),
        stop=stop_after_delay(_DEADLINE_SECONDS / 4),
        retry_error_callback=lambda _: None,
    )

    def attempt() -> bool:
        act()
        return busy()

    polls(attempt)
