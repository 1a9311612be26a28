"""Sends a load steadily and notes what became of every record.

A call that fails with an error that OTLP calls retryable is sent again with the same content, as an SDK does,
until it is answered.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.support.numbered import Load, Tally
from tests.support.numbered_requests import REQUESTS
from tests.support.otlp import SERVICES, Call, Request, calls

PAUSE_SECONDS = 0.5
ANSWER_SECONDS = 120.0
"""How long calls in flight may take to be answered once nothing more is sent."""
WORKERS = 3
BATCH = {"logs": 20, "metrics": 20, "traces": 5}


@contextmanager
def running(load: Load) -> Iterator[Load]:
    """Send load until the block ends; then wait until every call in flight is answered."""
    stop, given_up = threading.Event(), threading.Event()
    errors: list[BaseException] = []
    workers = [
        threading.Thread(target=_work, args=(load, signal, worker, stop, given_up, errors), daemon=True)
        for signal in SERVICES
        if getattr(load.rates, signal)
        for worker in range(WORKERS)
    ]
    for thread in workers:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        end = time.monotonic() + ANSWER_SECONDS
        for thread in workers:
            thread.join(timeout=max(0.0, end - time.monotonic()))
        given_up.set()
    assert not errors, errors
    late = f"calls in flight were not answered within {ANSWER_SECONDS:.0f} s"
    assert not any(thread.is_alive() for thread in workers), late


def _work(
    load: Load,
    signal: str,
    worker: int,
    stop: threading.Event,
    given_up: threading.Event,
    errors: list[BaseException],
) -> None:
    tally, size = load.tallies[signal], BATCH[signal]
    pause = size * WORKERS / getattr(load.rates, signal)
    numbers = itertools.count(worker, WORKERS)
    try:
        with ExitStack() as connections:
            targets = [load.target, load.second_target or load.target]
            senders = [connections.enter_context(calls(target, signal, load.tls)) for target in targets]
            while not stop.is_set():
                batch = list(itertools.islice(numbers, size))
                error, times = "", list[float]()
                for request, call in zip(REQUESTS[signal](load, worker, batch), senders, strict=False):
                    error = error or _deliver(call, request, tally, given_up)
                    times.append(time.time())
                if error:
                    tally.refused.update(dict.fromkeys(batch, error))
                else:
                    tally.acknowledged.update(dict.fromkeys(batch, times[-1]))
                    tally.apart.update(dict.fromkeys(batch, times[-1] - times[0]))
                stop.wait(pause)
    except BaseException as failure:  # noqa: BLE001 - reported to the thread that waits for this one
        errors.append(failure)


def _deliver(call: Call, request: Request, tally: Tally, given_up: threading.Event) -> str:
    """Send until it is answered or given up; give the error if it is not accepted, else nothing."""
    while (answer := call(request)).retryable:
        tally.retried[answer.code] += 1
        if given_up.wait(PAUSE_SECONDS):
            break
    return answer.error
