"""HAProxy: calls of one connection are shared out, too large ones turned away, and Prometheus watches it."""

from __future__ import annotations

import re
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.numbered_requests import logs_request
from tests.support.otlp import calls, export
from tests.support.sharing import shares
from tests.support.waiting import until

CALLS = 100
CALLERS = 4
MEBIBYTE = 2**20
ANSWERED = re.compile(
    r'^haproxy_server_http_responses_total\{proxy="gateways_grpc",server="(gateway-\d)",code="2xx"\} (\d+)$',
    re.MULTILINE,
)


def _answered(site: Site) -> Counter[str]:
    """Count the calls over gRPC that each gateway has answered, by HAProxy's own counters."""
    text = httpx.get(f"http://{site.address}:{site.haproxy}/metrics", timeout=30).raise_for_status().text
    return Counter({server: int(count) for server, count in ANSWERED.findall(text)})


def _load(site: Site) -> Load:
    return Load(run=uuid.uuid4().hex[:8], target=site.target)


def test_one_connection_uses_both_gateways(site: Site) -> None:
    before = _answered(site)
    with calls(site.target, "logs") as call:
        for first in range(CALLS):
            assert call(logs_request(_load(site), 0, [first])[0]).error == ""
    shared = shares(before, _answered(site))
    assert {server for server, share in shared.items() if share > 0} == {"gateway-1", "gateway-2"}
    assert all(0.4 < share < 0.6 for share in shared.values() if share > 0), shared


@pytest.mark.parametrize(("way", "status"), [("target", "RESOURCE_EXHAUSTED"), ("web_target", "413")])
def test_request_over_the_limit_is_turned_away_for_good(site: Site, way: str, status: str) -> None:
    large = logs_request(_load(site), 0, [0], padding="x" * 5 * MEBIBYTE)[0]
    assert export(getattr(site, way), "logs", large).startswith(status)


def test_prometheus_reads_its_metrics(site: Site) -> None:
    def is_up() -> bool:
        found = site.get(site.prometheus, "/api/v1/query", query='up{job="haproxy"}')
        return [series["value"][1] for series in found["data"]["result"]] == ["1"]

    until("Prometheus to read HAProxy's metrics", is_up, seconds=90)


@pytest.mark.long
@pytest.mark.parametrize("seconds", [4, 20])
def test_a_gateway_that_is_back_gets_its_share_slowly(site: Site, seconds: float) -> None:
    """Its share grows to one half within five seconds: of the first two it gets about a sixth."""
    site.container("otel-gateway-1").stop()
    time.sleep(seconds)
    with calls(site.target, "logs") as call:
        before = _answered(site)
        site.container("otel-gateway-1").start()

        def is_used() -> bool:
            assert call(logs_request(_load(site), 0, [0])[0]).error == ""
            return _answered(site)["gateway-1"] > before["gateway-1"]

        until("the gateway to be used again", is_used, seconds=60, pause=0.1)
        early, end = _answered(site), time.monotonic() + 2

        def keep_calling(_: int) -> None:
            while time.monotonic() < end:
                assert call(logs_request(_load(site), 0, [0])[0]).error == ""

        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(keep_calling, range(CALLERS)))
        assert shares(early, _answered(site))["gateway-1"] < 0.4
