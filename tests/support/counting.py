"""Watches the pods of programs: how many are ready, and when any comes, goes or starts again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from tests.lab.errors import LabError
from tests.support.kubernetes_site import ClusterSite

Count = tuple[float, int]
"""Seconds since the epoch, and how many were ready from then on."""
Span = tuple[float, float]
"""Seconds since the epoch: the last look that saw the pods as they were, the first that saw a change."""

PAUSE_SECONDS = 1.0


@dataclass
class Seen:
    """What was seen of the pods.

    Attributes:
        counts: each change in how many are ready, the first look included.
        moves: when pods came, went, started again, or became ready or not.
    """

    counts: list[Count] = field(default_factory=list)
    moves: list[Span] = field(default_factory=list)


@contextmanager
def watched(site: ClusterSite, *names: str) -> Iterator[Seen]:
    """Note what happens to the pods of programs until the block ends, and a last look after it."""
    seen, over = Seen(), Event()
    thread = Thread(target=_watch, args=(site, names, seen, over))
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(timeout=60)


def _watch(site: ClusterSite, names: Sequence[str], seen: Seen, over: Event) -> None:
    former, former_time, ended = None, time.time(), False
    while not ended:
        ended = over.wait(PAUSE_SECONDS)
        now = time.time()
        try:
            pods = [pod for name in names for pod in site.pods(name)]
        except LabError:
            continue  # an API server that is busy: the next look covers this one's time
        answered, count = time.time(), sum(pod.ready for pod in pods)
        present = {(pod.uid, pod.restarts, pod.ready) for pod in pods}
        if former not in (None, present):
            seen.moves.append((former_time, answered))
        if not seen.counts or seen.counts[-1][1] != count:
            seen.counts.append((answered, count))
        former, former_time = present, now


def since(counts: Sequence[Count], begin: float) -> dict[int, int]:
    """Give the counts by whole seconds since a moment."""
    return {round(moment - begin): count for moment, count in counts}
