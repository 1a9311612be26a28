"""Records that cannot be delivered, and some that are only unusual, under steady load."""

from __future__ import annotations

import time
import uuid

import httpx
import pytest

from tests.e2e.conftest import Report
from tests.support.docker_site import Site
from tests.support.kafka_seen import DEAD_LETTERS, dead_letters, end_offset, produce
from tests.support.numbered import Load
from tests.support.numbered_requests import (
    large_span_request,
    logs_request,
    metrics_request,
    mixed_metrics_request,
)
from tests.support.numbered_sending import running
from tests.support.otlp import export
from tests.support.steady import demand_nothing_lost, flow
from tests.support.stored import has_wrong_trace, logs_of, samples_of
from tests.support.waiting import until

MEBIBYTE = 2**20
HOUR = 3600.0

POISONED = 200
"""Many alike at once: a program's log may omit such after the first few."""


def _other(site: Site, *, age: float = 0.0) -> Load:
    return Load(run=uuid.uuid4().hex[:8], target=site.target, started=time.time() - age)


def _letters(site: Site, first: int, *words: str) -> list[str]:
    return [one for one in dead_letters(site, first) if all(word in one for word in words)]


def _await_letters(site: Site, first: int, *words: str, count: int = 1) -> str:
    """Give the requests that hold the letters; one may hold many."""

    def all_there() -> str:
        found = "\n".join(_letters(site, first, *words))
        assert found.count(_key("offset")) >= count, f"{found.count(_key('offset'))} of {count}"
        return found

    what = f"{count} dead letters with {', '.join(words)}"
    return until(what, all_there, seconds=90, pause=2, forgive=(AssertionError,))


def _key(name: str) -> str:
    return f'"key":"{name}"'


LETTER = ("topic", "partition", "offset", "exception.message")


@pytest.mark.parametrize(
    "signal",
    ["logs", pytest.param("metrics", marks=pytest.mark.long), pytest.param("traces", marks=pytest.mark.long)],
)
def test_each_record_that_is_no_otlp_becomes_a_dead_letter(
    site: Site, load: Load, report: Report, signal: str
) -> None:
    first = end_offset(site, DEAD_LETTERS)
    topic = f"otlp-{signal}"
    with running(load):
        flow(load)
        produce(site, topic, "this is no OTLP", copies=POISONED)
        letters = _await_letters(site, first, topic, count=POISONED)
        flow(load)
    assert {key: letters.count(_key(key)) for key in LETTER} == dict.fromkeys(LETTER, POISONED)
    report(load, demand_nothing_lost(site, load))


@pytest.mark.long
def test_request_over_the_limit_holds_nothing_up(site: Site, load: Load, report: Report) -> None:
    huge = logs_request(_other(site), 0, [0], padding="x" * 5 * MEBIBYTE)
    with running(load):
        flow(load)
        assert export(site.target, "logs", huge[0]) != ""
        flow(load)
    report(load, demand_nothing_lost(site, load))


def test_record_just_under_the_limit_is_delivered(site: Site) -> None:
    other = _other(site)
    large = logs_request(other, 0, [7], padding=uuid.uuid4().hex * (3 * MEBIBYTE // 32))
    assert export(site.target, "logs", large[0]) == ""
    until("the large record in Loki", lambda: logs_of(site, other) == {7: 1}, seconds=60)


def test_many_records_of_one_request_with_much_about_their_resource_are_delivered(
    site: Site, load: Load
) -> None:
    """Loki writes what is known of the resource to each record: 0.7 MB become 50 MB."""
    other, count = _other(site), 20_000
    many = logs_request(other, 0, range(count), command="x" * 2500)
    assert export(site.target, "logs", many[0]) == ""
    with running(load):
        flow(load)
    demand_nothing_lost(site, load)
    until("all records in Loki", lambda: len(logs_of(site, other)) == count, seconds=90, pause=2)


def test_span_just_under_the_limit_is_kept_and_holds_nothing_up(site: Site, load: Load) -> None:
    """A kept trace goes through Kafka twice; Jaeger keeps the beginning of long attributes."""
    other, number = _other(site), 10
    large = large_span_request(other, number, uuid.uuid4().hex * (3 * MEBIBYTE // 32))
    assert export(site.target, "traces", large) == ""
    until("the large span in Jaeger", lambda: has_wrong_trace(site, other, number), seconds=90, pause=2)
    with running(load):
        flow(load)
    demand_nothing_lost(site, load)


def test_samples_that_are_refused_take_no_others_along(site: Site) -> None:
    """Prometheus refuses a whole request; a gateway puts those of many applications into one."""
    first, other, numbers = end_offset(site, DEAD_LETTERS), _other(site), list(range(20))
    assert export(site.target, "metrics", mixed_metrics_request(other, numbers)) == ""
    until("the good samples in Prometheus", lambda: set(samples_of(site, other)) == set(numbers), seconds=60)
    _await_letters(site, first, "otlp-metrics")


def test_replay_within_the_windows_is_stored(site: Site) -> None:
    logs, metrics = _other(site, age=6 * 24 * HOUR), _other(site, age=23 * HOUR)
    numbers, newest = list(range(50)), 50
    assert export(site.target, "logs", logs_request(logs, 0, [newest])[0]) == ""
    until("the newest record in Loki", lambda: logs_of(site, logs), seconds=60)
    assert export(site.target, "logs", logs_request(logs, 0, numbers, at_seconds=logs.started)[0]) == ""
    samples = metrics_request(metrics, 0, numbers, at_seconds=metrics.started)
    assert export(site.target, "metrics", samples[0]) == ""
    # Loki queries memory only for the last hours: what is older shows once it is on disk.
    httpx.post(f"http://{site.address}:{site.loki}/flush", timeout=30).raise_for_status()
    until("all records in Loki", lambda: len(logs_of(site, logs)) == len([*numbers, newest]), seconds=60)
    until("the old samples in Prometheus", lambda: len(samples_of(site, metrics)) == len(numbers), seconds=60)


@pytest.mark.long
def test_replay_older_than_the_windows_becomes_dead_letters(site: Site, load: Load, report: Report) -> None:
    first = end_offset(site, DEAD_LETTERS)
    old = _other(site, age=8 * 24 * HOUR)
    requests = {
        "logs": logs_request(old, 0, [1], at_seconds=old.started),
        "metrics": metrics_request(old, 0, [1], at_seconds=old.started),
    }
    with running(load):
        flow(load)
        for signal, request in requests.items():
            assert export(site.target, signal, request[0]) == ""
            _await_letters(site, first, f"otlp-{signal}")
        flow(load)
    report(load, demand_nothing_lost(site, load))
