"""Programs that hang, and programs that are cut off from the network, in turn, under load."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase2.test_kill import CALM
from tests.support.docker_site import Site
from tests.support.hung import Hurt, cut_off, frozen, notice, probed_by
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import (
    AGAIN_SECONDS,
    HESITATIONS,
    HURT_SECONDS,
    PAUSE_SECONDS,
    demand_nothing_lost,
    flow,
    lag_gone,
    longest_pause,
    settled,
)

MOVES_SECONDS = 45.0
"""How long after it is back a processor's partitions may still move, on a busy machine."""
SERVED = ("otel-gateway", "otel-processor", "loki", "prometheus", "jaeger")
"""Without one of these, calls still get their OK."""
ALERT_SECONDS = 240.0
"""Its two minutes, the scrapes before it, and what a busy machine adds."""

long = pytest.mark.long


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("hurt", "name"),
    [
        pytest.param(frozen, "otel-gateway-1"),
        pytest.param(frozen, "otel-processor-1", marks=long),
        pytest.param(frozen, "haproxy", marks=long),
        pytest.param(frozen, "kafka-1", marks=long),
        pytest.param(frozen, "loki", marks=long),
        pytest.param(frozen, "prometheus", marks=long),
        pytest.param(frozen, "jaeger", marks=long),
        pytest.param(cut_off, "otel-gateway-1", marks=long),
        pytest.param(cut_off, "otel-processor-1", marks=long),
        pytest.param(cut_off, "kafka-1", marks=long),
    ],
)
def test_hung(site: Site, load: Load, report: Report, note: Note, hurt: Hurt, name: str) -> None:
    sampler = name.startswith("otel-processor")
    with running(load):
        for _ in range(CALM if sampler else 1):
            flow(load)
        begin = time.time()
        with hurt(site, name):
            noticed = notice(site, name, HURT_SECONDS)
        end = time.time()
        for _ in range(CALM if sampler else 1):
            flow(load, seconds=AGAIN_SECONDS)
        if sampler:
            settled(site, 2)
    note({"seconds without an OK": round(longest_pause(load), 1), "noticed": noticed})
    unsure = [(begin, begin), (end, end + MOVES_SECONDS)] if sampler else []
    report(load, demand_nothing_lost(site, load, unsure=unsure))
    if name.startswith(SERVED):
        assert longest_pause(load) < PAUSE_SECONDS
    site.await_health(probed_by(site, name))
    lag_gone(site)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_only_broker_hesitates(site: Site, load: Load, report: Report) -> None:
    """What it had received before it froze it writes afterwards, beside what is sent once more."""
    with running(load):
        for seconds in HESITATIONS:
            flow(load, seconds=AGAIN_SECONDS)
            with frozen(site, "kafka-1"):
                time.sleep(seconds)
        flow(load, seconds=AGAIN_SECONDS)
    report(load, demand_nothing_lost(site, load))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_hung_gateway_is_an_alert(site: Site, note: Note) -> None:
    with frozen(site, "otel-gateway-2"):
        noticed = notice(site, "otel-gateway-2", ALERT_SECONDS, until={"InstanceDown"})
    note({"noticed": noticed})
    assert set(noticed) == {"unhealthy", "scrape failed", "InstanceDown"}
