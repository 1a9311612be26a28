"""What several drills do and require."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise

from components.kafka.topics import TOPICS
from tests.support.drilled import Stores
from tests.support.kafka_seen import lag_of, readers_of
from tests.support.numbered import Load
from tests.support.otlp import SERVICES
from tests.support.stored import Found, await_all
from tests.support.waiting import until

STEADY = {"logs": 1000, "metrics": 1000, "traces": 120}
"""Acknowledged records after which the load is considered steady: about 5 s of it."""
DECISION_SECONDS, SPARE_SECONDS = 10.0, 6.0
"""The sampler's wait, and how long a span may take from its acknowledgement until the sampler has it."""

LONG_SECONDS = 330.0
"""Longer than the 300 s after which a collector with default settings gives up on a record."""
FOUND_SECONDS = 300.0

HURT_SECONDS = 60.0
HESITATIONS = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 20.0, 30.0)
"""For how long something that hurts lasts."""
AGAIN_SECONDS = 240.0
"""A client without a connection tries again ever more seldom, and after two minutes at the latest."""


def flow(load: Load, *, seconds: float = 120) -> None:
    """Wait until some more records of each signal have been acknowledged."""
    before = {signal: load.acknowledged(signal) for signal in SERVICES}
    for signal in SERVICES:
        goal = before[signal] + STEADY[signal]
        until(
            f"{goal} acknowledged {signal}",
            lambda signal=signal, goal=goal: load.acknowledged(signal) >= goal,  # type: ignore[misc]
            seconds=seconds,
        )


def turned_away(load: Load, *, seconds: float) -> None:
    """Wait until calls of each signal have got a retryable error."""
    for signal in SERVICES:
        until(
            f"a retryable error for {signal}",
            lambda signal=signal: load.tallies[signal].retried,  # type: ignore[misc]
            seconds=seconds,
        )


PAUSE_SECONDS = 15.0
"""Longest without an OK while others serve: clients find them, on a busy machine."""


def demand_nothing_lost(
    site: Stores,
    load: Load,
    *,
    unsure: Sequence[tuple[float, float]] = (),
    most: float = 1,
    seconds: float = FOUND_SECONDS,
) -> dict[str, Found]:
    """Require every acknowledged log record and sample, and every error and slow trace complete.

    ``unsure`` says from when to when processors with tail sampling were killed or changed: traces that were
    undecided then may be missing, which are those acknowledged at most the bound before. So may those
    whose halves were acknowledged so far apart, as in an outage, that the sampler decided on one alone;
    together no more than the share ``most`` of all. All others have ``seconds`` to be found. No call may have
    been refused for good.
    """
    apart = load.tallies["traces"].apart
    halved = {number for number, between in apart.items() if between > DECISION_SECONDS - SPARE_SECONDS}
    if unsure or halved:
        lag_gone(site)
    found = await_all(site, load, seconds=20 if unsure or halved else seconds)
    for signal in SERVICES:
        errors = set(load.tallies[signal].refused.values())
        assert not errors, f"{signal} refused for good: {errors}"
    for signal in ("logs", "metrics"):
        missing = load.acknowledged_at(signal, found[signal].missing)
        assert not missing, f"{signal} missing, by seconds of the load: {missing}"
    when = load.tallies["traces"].acknowledged
    bound = DECISION_SECONDS + SPARE_SECONDS
    unexplained = [
        number
        for number in found["traces"].missing
        if number not in halved
        and not any(begin - bound <= when[number] <= end + SPARE_SECONDS for begin, end in unsure)
    ]
    assert not unexplained, f"traces missing or in pieces: {unexplained}"
    gone = len(found["traces"].missing)
    assert gone <= most * found["traces"].acknowledged, f"{gone} traces missing or in pieces"
    return found


def lag_gone(site: Stores, seconds: float = 180) -> None:
    """Wait until the processors have read and committed everything in Kafka."""

    def is_gone() -> bool:
        lag = lag_of(site)
        unread = {topic: count for topic, count in lag.items() if count}
        assert not unread, unread
        # A group whose coordinator is not back yet is not listed.
        assert lag.keys() >= set(TOPICS.values()), f"listed are only {sorted(lag)}"
        return True

    until("the processors to have read everything", is_gone, seconds=seconds, forgive=(AssertionError,))


def settled(site: Stores, readers: int, seconds: float = 120) -> None:
    """Wait until every topic is read by this many processors, which share its partitions.

    A trace whose spans are read while partitions still move from one processor to another is decided on in
    parts. A group without members is one that the stack no longer has.
    """

    def is_settled() -> bool:
        found = readers_of(site)
        shared = bool(found) and all(is_shared(groups.values()) for groups in found.values())
        assert shared, found
        return True

    def is_shared(groups: Collection[set[str]]) -> bool:
        active = [hosts for hosts in groups if hosts != {""}]
        return bool(active) and all("" not in hosts and len(hosts) == readers for hosts in active)

    what = f"{readers} processors to share the partitions"
    until(what, is_settled, seconds=seconds, pause=1, forgive=(AssertionError,))


def longest_pause(load: Load) -> float:
    """Give the longest time in which no call with logs got an OK, in seconds."""
    times = sorted(load.tallies["logs"].acknowledged.values())
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)


def note_pause(load: Load, note: Callable[[Mapping[str, object]], None]) -> float:
    """Note the longest time in which no call with logs got an OK, and give it."""
    pause = longest_pause(load)
    note({"seconds without an OK": round(pause, 1)})
    return pause


def demand_short_pauses(load: Load, note: Callable[[Mapping[str, object]], None]) -> None:
    """Require that some call got its OK all the time: others took over, or nobody was missed."""
    assert note_pause(load, note) < PAUSE_SECONDS
