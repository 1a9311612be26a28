"""Watches how many pods of a program are ready."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from tests.support.kubernetes_site import ClusterSite

Count = tuple[float, int]
"""Seconds since the epoch, and how many were ready from then on."""

PAUSE_SECONDS = 2.0


@contextmanager
def watched(site: ClusterSite, name: str) -> Iterator[list[Count]]:
    """Note each change in the number of a program's ready pods, until the block ends."""
    counts: list[Count] = []
    over = Event()

    def watch() -> None:
        while not over.wait(PAUSE_SECONDS):
            count = site.ready(name)
            if not counts or counts[-1][1] != count:
                counts.append((time.time(), count))

    thread = Thread(target=watch)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join(timeout=60)


def since(counts: Sequence[Count], begin: float) -> dict[int, int]:
    """Give the counts by whole seconds since a moment."""
    return {round(moment - begin): count for moment, count in counts}
