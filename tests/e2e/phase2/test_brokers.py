"""One or two of three Kafka brokers down, and one that comes back with an empty disk, under load."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.hung import Hurt, cut_off, frozen
from tests.support.kafka_seen import behind, leader_of
from tests.support.next_version import next_version
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.otlp import DEADLINE_SECONDS, SERVICES
from tests.support.phase2 import PHASE
from tests.support.stack import Stack
from tests.support.steady import (
    AGAIN_SECONDS,
    HESITATIONS,
    HURT_SECONDS,
    LONG_SECONDS,
    demand_nothing_lost,
    demand_short_pauses,
    flow,
    note_pause,
    settled,
    turned_away,
)
from tests.support.waiting import until

DATA = "/var/lib/kafka/data"
ALERT = "KafkaPartitionsUnderReplicated"
ALERT_SECONDS = 600.0
"""Its five minutes, one between counts, and what a busy machine adds."""


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("wiped", [False, True], ids=["disk kept", "disk wiped"])
def test_one_of_three_brokers(three_brokers: Site, load: Load, report: Report, wiped: bool) -> None:
    site, name = three_brokers, "kafka-3" if wiped else "kafka-2"
    with running(load):
        flow(load)
        if wiped:
            site.container(name).stop(timeout=60)
            _wipe(site, name)
            flow(load)
            site.start(name)
        else:
            site.kill(name)
            site.await_health(name)
        flow(load)
        until("all copies to be in sync", lambda: not behind(site), seconds=180)
    report(load, demand_nothing_lost(site, load))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_of_three_brokers(three_brokers: Site, load: Load, report: Report) -> None:
    """With one copy there is no OK: nothing is acknowledged meanwhile, and all from before is there after."""
    site, away = three_brokers, ("kafka-2", "kafka-3")
    with running(load):
        flow(load)
        for name in away:
            site.container(name).kill()  # which Docker does not restart
        turned_away(load, seconds=60)
        time.sleep(2 * DEADLINE_SECONDS)  # by then the calls in flight have their answer
        before = {signal: load.acknowledged(signal) for signal in SERVICES}
        time.sleep(LONG_SECONDS)
        assert {signal: load.acknowledged(signal) for signal in SERVICES} == before
        for name in away:
            site.container(name).start()
        for name in away:
            site.await_health(name, seconds=180)
        flow(load)
        until("all copies to be in sync", lambda: not behind(site), seconds=180)
    report(load, demand_nothing_lost(site, load))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("hurt", [frozen, cut_off])
@pytest.mark.parametrize(
    "pauses",
    [
        pytest.param((HURT_SECONDS,), id="once", marks=pytest.mark.timeout(1200)),
        pytest.param(HESITATIONS, id="ever again"),
    ],
)
def test_a_leader_that_neither_ends_nor_answers(
    three_brokers: Site, load: Load, report: Report, note: Note, hurt: Hurt, pauses: Sequence[float]
) -> None:
    """For less and for more time than after which others take over; it still takes itself for the leader.

    What it has when it hangs is read some ten seconds later, from the next leader.
    """
    site, begins = three_brokers, list[float]()
    settled(site, 2)
    with running(load):
        flow(load)
        for seconds in pauses:
            begins.append(time.time())
            with hurt(site, leader_of(site)):
                time.sleep(seconds)
            flow(load, seconds=AGAIN_SECONDS)
        until("all copies to be in sync", lambda: not behind(site), seconds=180)
    note_pause(load, note)
    report(load, demand_nothing_lost(site, load, unsure=[(begin, begin) for begin in begins]))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_another_memory_limit_replaces_one_broker_after_the_other(
    three_brokers: Site, changeable: Stack, load: Load, report: Report, note: Note
) -> None:
    sizing = {**PHASE["sizing"], "kafka": {"memory": "900MiB"}}  # type: ignore[dict-item]
    _change_brokers(three_brokers, changeable, load, {"sizing": sizing})
    demand_short_pauses(load, note)
    report(load, demand_nothing_lost(three_brokers, load))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_another_version_replaces_one_broker_after_the_other(
    three_brokers: Site, changeable: Stack, load: Load, report: Report, note: Note, docker_engine: Engine
) -> None:
    with next_version(docker_engine, "kafka") as version:
        _change_brokers(three_brokers, changeable, load, {"images": {"overrides": {"kafka": version}}})
        changeable.up({"images": {}})
    demand_short_pauses(load, note)
    report(load, demand_nothing_lost(three_brokers, load))


def _change_brokers(site: Site, stack: Stack, load: Load, changes: Mapping[str, Any]) -> None:
    with running(load):
        flow(load)
        stack.up({"kafka": {"brokers": 3}, **changes})
        flow(load)
        until("all copies to be in sync", lambda: not behind(site), seconds=180)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_missing_copies_are_an_alert(three_brokers: Site, note: Note) -> None:
    site, name = three_brokers, "kafka-2"
    until("no alert", lambda: not _alerts(site), seconds=300, pause=5)
    site.container(name).stop(timeout=60)
    begin = time.monotonic()
    until(f"{ALERT} to fire", lambda: "otlp-logs" in _alerts(site), seconds=ALERT_SECONDS, pause=5)
    fired = time.monotonic() - begin
    topics = sorted(_alerts(site))
    site.start(name)
    begin = time.monotonic()
    until(f"{ALERT} to end", lambda: not _alerts(site), seconds=ALERT_SECONDS, pause=5)
    note({"fired_after": round(fired), "ended_after": round(time.monotonic() - begin), "topics": topics})


def _alerts(site: Site) -> set[str]:
    """Name the topics that the alert fires for."""
    alerts = site.get(site.prometheus, "/api/v1/alerts")["data"]["alerts"]
    return {
        one["labels"]["topic"]
        for one in alerts
        if one["state"] == "firing" and one["labels"]["alertname"] == ALERT
    }


def _wipe(site: Site, name: str) -> None:
    broker = site.container(name)
    volume = next(mount["Name"] for mount in broker.attrs["Mounts"] if mount["Destination"] == DATA)
    site.client.containers.run(
        broker.attrs["Image"],
        entrypoint=["bash", "-c", f"rm -rf {DATA}/*"],
        volumes={volume: {"bind": DATA, "mode": "rw"}},
        remove=True,
    )
