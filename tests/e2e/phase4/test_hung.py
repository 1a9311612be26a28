"""Replicas of the stores, of what stands before them, of Grafana and its database that hang under load."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase4.questions import await_answers, of_grafana, of_stores, signed_in
from tests.support.hung_pods import await_restart, frozen
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.object_site import QUERIED, STORES, ObjectSite
from tests.support.steady import demand_nothing_lost, flow
from tests.support.watching import demand_answers, watching

pytestmark = pytest.mark.long

FLOW_SECONDS = 300.0
SILENCE_SECONDS = 60.0
"""Longest time without an answer: a question that went to the hung replica is given up after ten seconds, and
the replica is asked no more once it has failed its checks for 15."""
DATABASE_SECONDS = 180.0
"""Longest time without Grafana's only database: until it counts as hung, is ended and starts."""


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", [*STORES, QUERIED])
def test_a_hung_replica_is_started_again(
    site: ObjectSite, load: Load, report: Report, note: Note, name: str
) -> None:
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        await_answers(site, load)
        with watching(of_stores(site, load)) as answers:
            pod = site.pods(name)[0]
            begin = time.monotonic()
            with frozen(pod):
                await_restart(site, pod)
            took = time.monotonic() - begin
            flow(load, seconds=FLOW_SECONDS)
    note({"seconds until it was ready again": round(took)})
    report(load, demand_nothing_lost(site, load))
    demand_answers(answers, note, SILENCE_SECONDS)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("name", "seconds"), [("grafana", SILENCE_SECONDS), ("postgres", DATABASE_SECONDS)])
def test_sessions_outlive_a_grafana_or_a_database_that_hangs(
    site: ObjectSite, load: Load, report: Report, note: Note, name: str, seconds: float
) -> None:
    cookies = signed_in(site)
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        await_answers(site, load)
        with watching(of_grafana(site, load, cookies)) as answers:
            pod = site.pods(name)[0]
            with frozen(pod):
                await_restart(site, pod)
            flow(load, seconds=FLOW_SECONDS)
    report(load, demand_nothing_lost(site, load))
    demand_answers(answers, note, seconds)
