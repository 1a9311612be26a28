"""Applications that send metrics with delta temporality need not change when their stack gets Mimir."""

from __future__ import annotations

import secrets
import time

import httpx
import pytest

from tests.conftest import Note
from tests.e2e.phase4.conftest import Deployment
from tests.support.numbers_otlp import sum_of
from tests.support.object_site import MIMIR
from tests.support.waiting import until

SERVICES, ROUNDS = 6, 30
FOUND_SECONDS = 180.0


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_what_every_service_has_counted_is_in_mimir(deployed: Deployment, note: Note) -> None:
    """The records of six services are spread over partitions, and so over two processors."""
    deployed.become(stores={"mimir": {"addDeltas": True}})
    site, run = deployed.site, secrets.token_hex(4)
    began, begin = time.monotonic(), time.time()
    names = [f"deltas-{run}-{number}" for number in range(SERVICES)]
    for number in range(ROUNDS):
        for name in names:
            since = begin + number - ROUNDS
            request = sum_of(number + 1, since=since, at=since + 1, service=name)
            httpx.post(f"{site.web_target}/v1/metrics", json=request, timeout=30).raise_for_status()
    query = f'max by (job) (max_over_time(orders_made_total{{job=~"deltas-{run}-.+"}}[10m]))'
    wanted = dict.fromkeys(names, ROUNDS * (ROUNDS + 1) // 2)

    def found() -> dict[str, int]:
        result = site.get(MIMIR, "/api/v1/query", query=query)["data"]["result"]
        return {one["metric"]["job"]: int(float(one["value"][1])) for one in result}

    until("all sums", lambda: found() == wanted, seconds=FOUND_SECONDS, forgive=(httpx.HTTPError,), pause=1)
    note({"seconds until all sums are found": round(time.monotonic() - began, 1)})
