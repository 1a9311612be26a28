"""What a stack's stores hold of a load, compared with what was acknowledged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.drilled import Stores
from tests.support.numbered import METRIC, SPANS, Load, kind_of, trace_id
from tests.support.waiting import until

PAGE = 5000
"""Log records that Loki returns at once, at most."""


def logs_of(site: Stores, load: Load) -> Counter[int]:
    """How often Loki has each numbered log record."""
    found: Counter[int] = Counter()
    start = int((load.started - 60) * 1e9)
    end = int((time.time() + 60) * 1e9)
    seen: set[tuple[str, str]] = set()
    while True:
        page = site.get(
            site.loki,
            "/loki/api/v1/query_range",
            query=f'{{service_name="{load.service}"}}',
            start=start,
            end=end,
            limit=PAGE,
            direction="forward",
        )
        entries = [entry for stream in page["data"]["result"] for entry in stream["values"]]
        last = max((int(stamp) for stamp, *_ in entries), default=start)
        fresh = [(stamp, line) for stamp, line, *_ in entries if (stamp, line) not in seen]
        found.update(int(line.split()[0]) for _, line in fresh)
        if len(entries) < PAGE:
            return found
        seen = {(stamp, line) for stamp, line, *_ in entries if int(stamp) == last}
        start = last


def samples_of(site: Stores, load: Load) -> Counter[int]:
    """How often Prometheus has each numbered sample; of two equal ones it keeps one."""
    seconds = int(time.time() - load.started + 120)
    query = f'{METRIC}{{service_name="{load.service}"}}[{seconds}s]'
    answer = site.get(site.prometheus, "/api/v1/query", query=query)
    return Counter(int(value) for series in answer["data"]["result"] for _, value in series["values"])


def jaeger_traces(site: Stores, load: Load, kind: str) -> Iterator[tuple[str, set[str]]]:
    """Ids of the traces of a kind that Jaeger has, each with those of its spans."""
    start, step = load.started - 60, 20
    while start < time.time():
        answer = site.get(
            site.jaeger,
            "/api/traces",
            service=load.service,
            operation=kind,
            start=int(start * 1e6),
            end=int((start + step) * 1e6),
            limit=1500,
        )
        for trace in answer["data"]:
            yield trace["traceID"], {span["spanID"] for span in trace["spans"]}
        start += step


def has_wrong_trace(site: Stores, load: Load, number: int) -> bool:
    """Tell whether the store has a trace whose spans are named like those with errors."""
    wanted = trace_id(load.run, number).hex()
    return any(found.zfill(len(wanted)) == wanted for found, _ in site.traces(load, "error"))


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a store has of a load's records of one signal.

    Attributes:
        acknowledged: records for which the client got its OK.
        missing: numbers of those that the store does not have.
        duplicates: surplus copies that the store has.
        partly: traces of which the store has only some spans.
    """

    acknowledged: int
    missing: list[int]
    duplicates: int = 0
    partly: int = 0


def compare(load: Load, signal: str, found: Counter[int]) -> Found:
    """Compare what a store has with what was acknowledged."""
    acknowledged = load.tallies[signal].acknowledged.keys()
    missing = sorted(acknowledged - found.keys())
    return Found(acknowledged=len(acknowledged), missing=missing, duplicates=found.total() - len(found))


def kept_traces(site: Stores, load: Load, kinds: tuple[str, ...] = ("error", "slow")) -> Found:
    """Compare the complete traces of some kinds in Jaeger with those acknowledged."""
    stored: dict[str, set[str]] = {}
    for kind in kinds:
        for identity, spans in site.traces(load, kind):
            stored.setdefault(identity, set()).update(spans)
    expected = [number for number in load.tallies["traces"].acknowledged if kind_of(number) in kinds]
    missing = [
        number
        for number in expected
        if len(stored.get(trace_id(load.run, number).hex().lstrip("0"), ()))
        + len(stored.get(trace_id(load.run, number).hex(), ()))
        < SPANS
    ]
    partly = sum(len(spans) < SPANS for spans in stored.values())
    return Found(acknowledged=len(expected), missing=sorted(missing), partly=partly)


def await_all(site: Stores, load: Load, *, seconds: float = 180) -> dict[str, Found]:
    """Wait until the stores have all that was acknowledged, or the deadline; give what they have.

    Raises:
        AssertionError: logs or metrics are missing; the message has how many.
    """

    def logs() -> Found:
        return compare(load, "logs", logs_of(site, load))

    def metrics() -> Found:
        return compare(load, "metrics", samples_of(site, load))

    found: dict[str, Found] = {}
    deadline = time.monotonic() + seconds
    for signal, ask in (("logs", logs), ("metrics", metrics), ("traces", lambda: kept_traces(site, load))):

        def whole(signal: str = signal, ask: Any = ask) -> bool:
            found[signal] = ask()
            return not found[signal].missing or time.monotonic() > deadline

        until(f"{signal} in their store", whole, seconds=seconds + 60, pause=2, forgive=(httpx.HTTPError,))
    return found
