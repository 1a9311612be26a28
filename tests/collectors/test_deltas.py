"""Metrics of delta temporality, which Mimir rejects and processors add up if they are told to."""

from __future__ import annotations

from typing import Any

import yaml

from tests.collectors.conftest import RunCollector
from tests.support.collectors import RunningCollector
from tests.support.made import made
from tests.support.numbers_otlp import sum_of
from tests.support.waiting import until

WRITTEN_SECONDS = 20.0
START = 1_767_225_600


def adder() -> dict[str, Any]:
    """Give the processors of phase 4's metrics after the one that watches over memory."""
    found = made("phase4-everything-set")
    document = yaml.safe_load(found.files(found.program("otel-processor"))["config.yaml"])
    _, *names = document["service"]["pipelines"]["metrics"]["processors"]
    return {name: document["processors"][name] for name in names}


def written(collector: RunningCollector, count: int) -> list[tuple[int, int]]:
    """Wait for data points; give the value of each, and what kind of sum it is of."""
    until("the data points", lambda: len(collector.data_points()) >= count, seconds=WRITTEN_SECONDS)
    return [(int(point["asInt"]), point["temporality"]) for point in collector.data_points()]


def test_they_are_added_up_and_what_comes_twice_counts_once(run_collector: RunCollector) -> None:
    """Kafka may give a record twice, and a store's answer may be lost."""
    collector = run_collector(adder(), signal="metrics")
    requests = [sum_of(value, since=START + value - 1, at=START + value) for value in (1, 2, 3, 4)]
    for request in (*requests[:3], requests[2], requests[3]):
        collector.send(request)
    assert written(collector, 4) == [(1, 2), (3, 2), (6, 2), (10, 2)]


def test_what_is_added_up_already_stays_as_it_is(run_collector: RunCollector) -> None:
    collector = run_collector(adder(), signal="metrics")
    for value in (5, 7):
        collector.send(sum_of(value, since=START, at=START + value, cumulative=True))
    assert written(collector, 2) == [(5, 2), (7, 2)]
