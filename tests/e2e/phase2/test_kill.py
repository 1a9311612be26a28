"""kill -9 of each program on the data's path, in turn, under load."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import Report
from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import demand_nothing_lost, flow

CALM = 4
"""Load before and after processors are killed, in times of ``flow``: about 20 s, so that most traces are none
of those that a killed sampler may lose, and have to be there."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "programs",
    [
        pytest.param(("otel-processor-1", "otel-processor-2"), id="processors"),
        pytest.param(("otel-gateway-1", "otel-gateway-2"), id="gateways"),
        pytest.param(("haproxy",), id="haproxy"),
        pytest.param(("kafka-1",), id="kafka", marks=pytest.mark.long),
        pytest.param(("loki",), id="loki", marks=pytest.mark.long),
        pytest.param(("prometheus",), id="prometheus", marks=pytest.mark.long),
        pytest.param(("jaeger",), id="jaeger", marks=pytest.mark.long),
    ],
)
def test_kill_loses_nothing_acknowledged(
    site: Site, load: Load, report: Report, programs: tuple[str, ...]
) -> None:
    kills: list[float] = []
    sampled = programs[0].startswith("otel-processor")
    with running(load):
        for _ in range(CALM if sampled else 1):
            flow(load)
        for program in programs:
            kills.append(time.time())
            site.kill(program)
            flow(load)
        for _ in range(CALM if sampled else 0):
            flow(load)
    unsure = [(kill, kill) for kill in kills] if sampled else []
    report(load, demand_nothing_lost(site, load, unsure=unsure))
