"""OTLP over HTTP, and traces whose spans go to two gateways."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.e2e.conftest import Report
from tests.support.docker_site import Site
from tests.support.doors import doors
from tests.support.numbered import SPANS, Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow
from tests.support.stored import kept_traces
from tests.support.waiting import until

GATEWAYS = ("otel-gateway-1", "otel-gateway-2")
OTLP, METRICS = 4317, 8888


@pytest.mark.long
@pytest.mark.timeout(900)
def test_gateways_killed_under_http(site: Site, report: Report) -> None:
    load = Load(run=uuid.uuid4().hex[:8], target=site.web_target)
    with running(load):
        flow(load)
        for gateway in GATEWAYS:
            site.kill(gateway)
            flow(load)
    report(load, demand_nothing_lost(site, load))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_traces_in_halves_to_two_gateways_are_sampled_as_one(site: Site, report: Report) -> None:
    inside = [(gateway, port) for gateway in GATEWAYS for port in (OTLP, METRICS)]
    with doors(site, inside) as outside:
        counters = [outside[gateway, METRICS] for gateway in GATEWAYS]
        first, second = (outside[gateway, OTLP] for gateway in GATEWAYS)
        until(
            "both gateways",
            lambda: [_spans(address) for address in counters] != [],
            seconds=30,
            forgive=(httpx.HTTPError,),
        )
        before = [_spans(address) for address in counters]
        load = Load(run=uuid.uuid4().hex[:8], target=first, second_target=second)
        with running(load):
            flow(load)
            flow(load)
        taken = [_spans(address) - old for address, old in zip(counters, before, strict=True)]
    found = demand_nothing_lost(site, load)
    halves = load.acknowledged("traces") * SPANS // 2
    assert all(spans >= halves for spans in taken), f"{taken} spans taken, {halves} sent to each gateway"
    assert found["traces"].acknowledged > 0
    assert found["traces"].partly == 0
    assert kept_traces(site, load, ("plain",)).partly == 0
    report(load, found)


def _spans(address: str) -> float:
    """Count the spans that a gateway has accepted over gRPC, by its own counter."""
    text = httpx.get(f"http://{address}/metrics", timeout=10).raise_for_status().text
    name = "otelcol_receiver_accepted_spans"
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))
