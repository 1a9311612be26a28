"""Phase 1 keeps everything: what is in the stores is compared with what was acknowledged."""

from __future__ import annotations

import httpx

from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.stored import Found, compare, kept_traces, logs_of, samples_of
from tests.support.waiting import until

KINDS = ("plain", "error", "slow")
ARRIVAL_SECONDS = 180.0
"""A store that was down is tried again after up to 30 s, and the queue behind it takes some time."""
PROGRESS_SECONDS = 120.0


def stored(site: Site, load: Load) -> dict[str, Found]:
    """Look up everything that was acknowledged."""
    return {
        "logs": compare(load, "logs", logs_of(site, load)),
        "metrics": compare(load, "metrics", samples_of(site, load)),
        "traces": kept_traces(site, load, KINDS),
    }


def await_everything(site: Site, load: Load) -> None:
    """Wait until the stores have all that was acknowledged, of every signal.

    Raises:
        AssertionError: something is missing, or was refused for good, or nothing was sent at all.
    """
    last: dict[str, Found] = {}

    def is_whole() -> bool:
        last.update(stored(site, load))
        return not any(found.missing for found in last.values())

    what = f"{ {signal: load.acknowledged(signal) for signal in load.tallies} } acknowledged records"
    try:
        until(what, is_whole, seconds=ARRIVAL_SECONDS, pause=2, forgive=(httpx.HTTPError,))
    except AssertionError as error:
        missing = {signal: (len(found.missing), found.missing[:5]) for signal, found in last.items()}
        raise AssertionError(f"{error}; missing: {missing}") from None
    for signal, tally in load.tallies.items():
        assert tally.acknowledged, f"no {signal} were acknowledged"
        assert not tally.refused, f"{signal} were refused: {tally.refused}"


def await_acknowledged(
    load: Load,
    more: int,
    signals: tuple[str, ...] = ("logs", "metrics", "traces"),
    *,
    seconds: float = PROGRESS_SECONDS,
) -> None:
    """Wait until this many more records of each signal have been acknowledged."""
    goals = {signal: load.acknowledged(signal) + more for signal in signals}
    until(
        f"{more} more acknowledged records of {', '.join(signals)}",
        lambda: all(load.acknowledged(signal) >= goal for signal, goal in goals.items()),
        seconds=seconds,
    )
