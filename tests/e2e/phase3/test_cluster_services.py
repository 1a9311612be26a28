"""The cluster's API and its names away for a while, under load, and programs that start meanwhile."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase3.test_pods import SAMPLER
from tests.lab.cluster import runtime
from tests.support.cluster_services import api_away, names_away
from tests.support.hung_pods import await_restart
from tests.support.kubernetes_site import ClusterSite
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, demand_short_pauses, flow

AWAY_SECONDS = 120.0
"""Longer than connections of clients last, and than anybody remembers a name."""
FLOW_SECONDS = 300.0
Away = Callable[[], AbstractContextManager[None]]
BOTH = pytest.mark.parametrize("away", [api_away, names_away])


@pytest.mark.long
@pytest.mark.timeout(1200)
@BOTH
def test_what_runs_goes_on_without_it(
    site: ClusterSite, load: Load, report: Report, note: Note, away: Away
) -> None:
    before = {pod.uid: pod.restarts for pod in site.pods()}
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        with away():
            time.sleep(AWAY_SECONDS)
            flow(load)
        flow(load, seconds=FLOW_SECONDS)
    report(load, demand_nothing_lost(site, load))
    demand_short_pauses(load, note)
    assert {pod.uid: pod.restarts for pod in site.pods()} == before


@pytest.mark.long
@pytest.mark.timeout(1800)
@BOTH
@pytest.mark.parametrize("tier", ["otel-gateway", SAMPLER, "kafka", "loki"])
def test_what_starts_without_it_is_there_when_it_is_back(
    site: ClusterSite, load: Load, report: Report, away: Away, tier: str
) -> None:
    pod = site.pods(tier)[0]
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        begin = time.time()
        with away():
            runtime.signal_container(pod.container, signal.SIGKILL)
            time.sleep(AWAY_SECONDS)
        await_restart(site, pod)
        unsure = [(begin, time.time())] if tier == SAMPLER else []
        flow(load, seconds=FLOW_SECONDS)
    report(load, demand_nothing_lost(site, load, unsure=unsure))
