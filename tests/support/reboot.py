"""A reboot of the machine that a stack on Docker runs on, played with the tests' own engine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.docker_engine import Engine
from tests.support.docker_site import Site

HEALTHY_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Rebooted:
    """What a reboot did.

    Attributes:
        begin: when it began, in seconds since the epoch.
        end: when the engine answered again.
        noted: what drills report of it.
    """

    begin: float
    end: float
    noted: Mapping[str, object]


def reboot(engine: Engine, site: Site, *, kill: bool) -> Rebooted:
    """Restart the engine, and wait until every program that ran is there again and healthy.

    Raises:
        AssertionError: one is not, or is another one.
    """
    before = site.running()
    begin = time.time()
    engine.restart(kill=kill)
    end = time.time()
    site.await_everything(seconds=HEALTHY_SECONDS)
    healthy = time.time()
    assert site.running() == before
    times = {"engine answers after": round(end - begin), "all healthy after": round(healthy - begin)}
    return Rebooted(begin=begin, end=end, noted={**times, "restarts": site.restarts()})
