"""What a command costs: time, memory of the processes it starts, requests to the API server."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import proc
from tests.support.cluster import Cluster

PROC = Path("/proc")
PAUSE = 0.2
"""Seconds between two looks at the processes."""

READS = ("GET", "LIST", "WATCH")
HOUSEKEEPING = ("leases", "events")
"""Resources that kubelets and controllers write all the time, whatever else happens."""

_COUNTER = re.compile(r"^apiserver_request_total\{([^}]*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(kw_only=True)
class Effort:
    """What was spent.

    Attributes:
        seconds: from start to end.
        requests: all that the API server has answered meanwhile, whoever asked, without housekeeping.
        writes: those among them that write.
        megabytes: most resident memory that the processes started meanwhile have had together.
        load: the machine's load average of the last minute, at the end.
    """

    seconds: float = 0
    requests: int = 0
    writes: int = 0
    megabytes: float = 0
    load: float = 0


@contextmanager
def effort(kubernetes: Cluster) -> Iterator[Effort]:
    """Measure what happens in the context; the figures are there once it is left."""
    spent, over, others = Effort(), threading.Event(), set(_processes())
    watching = threading.Thread(target=_watch, args=(spent, over, others))
    requests, writes = _answered(kubernetes)
    started = time.monotonic()
    watching.start()
    try:
        yield spent
    finally:
        spent.seconds = round(time.monotonic() - started, 1)
        over.set()
        watching.join()
        spent.load = round(os.getloadavg()[0], 1)
        later, writes_later = _answered(kubernetes)
        spent.requests, spent.writes = later - requests, writes_later - writes


def _answered(kubernetes: Cluster) -> tuple[int, int]:
    """Give how many requests the API server has answered, and how many of them were writes."""
    requests = writes = 0
    for labels, value in _COUNTER.findall(kubernetes.kubectl("get", "--raw", "/metrics")):
        about = dict(_LABEL.findall(labels))
        if about.get("resource") in HOUSEKEEPING:
            continue
        requests += int(float(value))
        writes += int(float(value)) if about["verb"] not in READS else 0
    return requests, writes


def _watch(spent: Effort, over: threading.Event, others: set[int]) -> None:
    while not over.wait(PAUSE):
        spent.megabytes = max(spent.megabytes, round(_resident(os.getpid(), others) / 2**20, 0))


def _resident(process: int, others: set[int]) -> int:
    """Give the resident memory of a process's descendants, in bytes, without others and their descendants."""
    children: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for child in _processes():
        folder = PROC / str(child)
        try:
            parent = int(proc.stat(folder)[1])
            pages[child] = int((folder / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if child not in others:
            children.setdefault(parent, []).append(child)
    return os.sysconf("SC_PAGE_SIZE") * sum(pages[one] for one in _below(process, children))


def _processes() -> list[int]:
    return [int(folder.name) for folder in PROC.glob("[0-9]*")]


def _below(process: int, children: dict[int, list[int]]) -> Iterator[int]:
    for child in children.get(process, []):
        yield child
        yield from _below(child, children)
