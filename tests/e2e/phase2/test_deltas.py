"""Counters with delta temporality while a processor is killed and Prometheus does not answer."""

from __future__ import annotations

import secrets
import time

import httpx
import pytest

from tests.conftest import Note
from tests.support.docker_site import Site
from tests.support.numbers_otlp import sum_of
from tests.support.stack import Stack
from tests.support.waiting import until

SERVICES, ROUNDS = 6, 60
KILLED, AWAY, BACK = 10, 25, 40
"""Rounds before which a processor is killed, Prometheus frozen, and goes on: restarted it begins anew."""
FOUND_SECONDS = 240.0


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_what_every_service_has_counted_is_in_prometheus(changeable: Stack, site: Site, note: Note) -> None:
    """Without ``kafka.metricsInOrder`` Prometheus ignores what comes late, and the sums are too low."""
    changeable.up({"kafka": {"metricsInOrder": True}})
    run, begin = secrets.token_hex(4), time.time() - ROUNDS
    names = [f"deltas-{run}-{number}" for number in range(SERVICES)]
    for number in range(ROUNDS):
        if number == KILLED:
            site.kill("otel-processor-1")
        if number == AWAY:
            site.container("prometheus").pause()
        if number == BACK:
            site.container("prometheus").unpause()
        for name in names:
            request = sum_of(number + 1, since=begin + number, at=begin + number + 1, service=name)
            httpx.post(f"{site.web_target}/v1/metrics", json=request, timeout=30).raise_for_status()
        time.sleep(1)
    query = f'max by (job) (max_over_time(orders_made_total{{job=~"deltas-{run}-.+"}}[15m]))'
    wanted = dict.fromkeys(names, ROUNDS * (ROUNDS + 1) // 2)

    def found() -> dict[str, int]:
        result = site.get(site.prometheus, "/api/v1/query", query=query)["data"]["result"]
        return {one["metric"]["job"]: int(float(one["value"][1])) for one in result}

    until("all sums", lambda: found() == wanted, seconds=FOUND_SECONDS, forgive=(httpx.HTTPError,), pause=1)
    note({"sums": sorted(found().values())})
    changeable.up({"kafka": {}})
