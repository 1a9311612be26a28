"""Pods of the stores, of Grafana and its database lost under load, with and without their disks."""

from __future__ import annotations

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase4.questions import (
    NOT_YET,
    await_answers,
    of_grafana,
    of_stores,
    signed_in,
    user_of,
)
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.object_site import STORES, ObjectSite
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until
from tests.support.watching import demand_answers, watching

pytestmark = pytest.mark.long

FLOW_SECONDS = 300.0
SILENCE_SECONDS = 30.0
"""Longest time without an answer: a Service learns after some seconds that a pod is gone; a query that was on
its way to it is given up first."""
LISTED_SECONDS = 330.0
"""The same for what Tempo has in its bucket only: each replica lists the blocks there every five minutes."""
FOUND_SECONDS = 900.0
"""What a lost disk had flushed is only in the bucket, whose list queriers renew every five minutes."""
DATABASE_SECONDS = 90.0
"""Longest time without Grafana's only database: a pod starts."""


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("store", STORES)
def test_a_killed_replica_is_not_missed(
    site: ObjectSite, load: Load, report: Report, note: Note, store: str
) -> None:
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        await_answers(site, load)
        with watching(of_stores(site, load)) as answers:
            site.delete(site.pods(store)[1], force=True)
            flow(load, seconds=FLOW_SECONDS)
    report(load, demand_nothing_lost(site, load))
    demand_answers(answers, note, SILENCE_SECONDS)


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("store", STORES)
def test_every_disk_wiped_in_turn_loses_nothing(
    site: ObjectSite, load: Load, report: Report, note: Note, store: str
) -> None:
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        await_answers(site, load)
        with watching(of_stores(site, load)) as answers:
            for pod in site.pods(store):
                site.wipe(pod)
                flow(load, seconds=FLOW_SECONDS)
    if store == "tempo":
        site.flush(store)  # what a single replica still has is found by some queries only
    report(load, demand_nothing_lost(site, load, seconds=FOUND_SECONDS))
    demand_answers(answers, note, LISTED_SECONDS if store == "tempo" else SILENCE_SECONDS)


@pytest.mark.timeout(900)
def test_sessions_and_queries_outlive_a_replica_of_grafana(
    site: ObjectSite, load: Load, report: Report, note: Note
) -> None:
    first, second = site.await_ready("grafana", 2)
    cookies = signed_in(site, first.address)
    assert cookies, "Grafana opened no session"
    assert user_of(second.address, cookies) == "admin"
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        await_answers(site, load)
        with watching(of_grafana(site, load, cookies)) as answers:
            site.delete(first, force=True)
            flow(load, seconds=FLOW_SECONDS)
    assert user_of(site.services["grafana"], cookies) == "admin"
    report(load, demand_nothing_lost(site, load))
    demand_answers(answers, note, SILENCE_SECONDS)


@pytest.mark.timeout(900)
def test_sessions_outlive_the_databases_pod(site: ObjectSite, load: Load, report: Report, note: Note) -> None:
    cookies = signed_in(site)
    before = {pod.uid: pod.restarts for pod in site.pods("grafana")}

    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        await_answers(site, load)
        asked = of_grafana(site, load, cookies)
        with watching(of_stores(site, load)) as stores, watching(asked) as answers:
            site.delete(site.pods("postgres")[0], force=True)
            flow(load, seconds=FLOW_SECONDS)
            until("the session", asked["session"], seconds=DATABASE_SECONDS, forgive=NOT_YET)
    assert {pod.uid: pod.restarts for pod in site.pods("grafana")} == before
    report(load, demand_nothing_lost(site, load))
    demand_answers(stores, note, SILENCE_SECONDS)
    demand_answers(answers, note, DATABASE_SECONDS)
