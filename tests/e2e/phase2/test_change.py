"""``pulumi up`` under load: new settings, more and fewer processors, phase 1 to phase 2."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.next_version import next_version
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.otlp import SERVICES
from tests.support.phase2 import PHASE
from tests.support.stack import Stack
from tests.support.steady import (
    DECISION_SECONDS,
    SPARE_SECONDS,
    demand_nothing_lost,
    demand_short_pauses,
    flow,
)
from tests.support.stored import await_all

MOVED = 0.05
"""Largest share of error and slow traces that may be lost when partitions move between processors that stop
cleanly; measured: none to one in 200."""


def _processors(count: int) -> dict[str, Any]:
    return {"sizing": {**PHASE["sizing"], "processor": {"replicas": count}}}  # type: ignore[dict-item]


def _under_load(changeable: Stack, load: Load, *changes: dict[str, Any]) -> list[tuple[float, float]]:
    """Change the stack under load; give from when to when each change was made."""
    times = []
    with running(load):
        flow(load)
        for change in changes:
            begin = time.time()
            changeable.up(change)
            times.append((begin, time.time()))
            flow(load)
    return times


@pytest.mark.timeout(1200)
@pytest.mark.long
def test_new_settings(site: Site, changeable: Stack, load: Load, report: Report) -> None:
    ingest = {**changeable.config["ingest"], "maxConnectionAge": "4m"}
    times = _under_load(changeable, load, {"ingest": ingest, "sampling": {"keepPercent": 20}})
    report(load, demand_nothing_lost(site, load, unsure=times, most=MOVED))


@pytest.mark.timeout(1800)
def test_another_version_replaces_one_collector_after_the_other(
    site: Site, changeable: Stack, load: Load, report: Report, note: Note, docker_engine: Engine
) -> None:
    with next_version(docker_engine, "collector") as version:
        overrides = {"images": {"overrides": {"collector": version}}}
        times = _under_load(changeable, load, overrides)
        changeable.up({"images": {}})
    demand_short_pauses(load, note)
    report(load, demand_nothing_lost(site, load, unsure=times, most=MOVED))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_processors_two_three_two(site: Site, changeable: Stack, load: Load, report: Report) -> None:
    times = _under_load(changeable, load, _processors(3), _processors(2))
    report(load, demand_nothing_lost(site, load, unsure=times, most=MOVED))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", ["head", "none"])
def test_a_killed_processor_loses_no_trace_without_tail_sampling(
    site: Site, changeable: Stack, load: Load, report: Report, mode: str
) -> None:
    changeable.up({"sampling": {"mode": mode, "keepPercent": 100}})
    try:
        with running(load):
            flow(load)
            for number in (1, 2):
                site.kill(f"otel-processor-{number}")
                flow(load)
        report(load, demand_nothing_lost(site, load))
    finally:
        changeable.up({"sampling": {}})


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_what_a_sampler_has_kept_is_stored_also_without_one(
    site: Site, changeable: Stack, load: Load, report: Report
) -> None:
    """While Jaeger is away it is only in the sampler's topic: the records that it came from are done."""
    try:
        with running(load):
            with site.away("jaeger"):
                flow(load)
                time.sleep(DECISION_SECONDS + SPARE_SECONDS)
                begin = time.time()
                changeable.up({"sampling": {"mode": "none"}})
                changed = (begin, time.time())
            flow(load)
        report(load, demand_nothing_lost(site, load, unsure=[changed]))
    finally:
        changeable.up({"sampling": {}})


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_from_phase_one(site: Site, changeable: Stack, load: Load, report: Report) -> None:
    changeable.destroy()
    changeable.up({"phase": 1})
    with running(load):
        flow(load)
        changeable.up({"phase": 2})
        flow(load)
    found = await_all(site, load)
    assert all(not found[signal].missing for signal in SERVICES), found
    report(load, found)
