"""Two gateways become six: clients that stay connected share them without being restarted.

One kind of client knows the Service's one address, and moves when a gateway asks it to connect again; the
other asks DNS for all gateways and sends to each in turn.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack

import httpx
import pytest

from tests.conftest import Note
from tests.e2e.phase3.conftest import NAMESPACE
from tests.lab.cluster import layout
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import GRPC, ClusterSite
from tests.support.numbered import Load, Rates
from tests.support.numbered_sending import running
from tests.support.sharing import accepted, shares
from tests.support.waiting import until

GATEWAYS = 6
CLIENTS = 4
"""Each with three connections: twice as many as gateways."""
LEAST_SHARE = 0.05
"""A sixth would be 0.17; connections that know one address are placed by chance."""
SHARED_SECONDS = 420.0
EVEN_SECONDS = 60.0
BY_NAME = f"dns://{layout.DNS_ADDRESS}:53/otel-gateway-headless.{NAMESPACE}.svc.cluster.local:{GRPC}"
WAYS = {"Service": "log_records", "headless Service": "metric_points"}
"""What the clients of each way send, which tells them apart."""


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_gateways_become_six(deployed: ClusterDeployment, note: Note) -> None:
    deployed.become()
    site = deployed.site
    site.await_ready("otel-gateway", 2, seconds=SHARED_SECONDS)
    logs = Rates(logs=60, metrics=0, traces=0)
    metrics = Rates(logs=0, metrics=240, traces=0)
    loads = [_load(site.target, logs) for _ in range(CLIENTS)] + [_load(BY_NAME, metrics)]
    with ExitStack() as clients:
        for load in loads:
            clients.enter_context(running(load))
        until("clients to be served", lambda: all(map(_acknowledged, loads)), seconds=120)
        deployed.become(sizing={"gateway": {"replicas": GATEWAYS}})
        site.await_ready("otel-gateway", GATEWAYS)
        begin = time.monotonic()
        before = {way: accepted(site, counted) for way, counted in WAYS.items()}
        took = _await_sharing(site, before, begin)
        later = {way: accepted(site, counted) for way, counted in WAYS.items()}
        time.sleep(EVEN_SECONDS)
        spread = {way: _spread(site, way, later[way]) for way in WAYS}
    assert not any(tally.refused for load in loads for tally in load.tallies.values())
    note({"seconds until all have a share": took, "shares in the next minute": spread})
    assert min(spread["headless Service"]) > LEAST_SHARE, spread


def _load(target: str, rates: Rates) -> Load:
    return Load(run=uuid.uuid4().hex[:8], target=target, rates=rates)


def _acknowledged(load: Load) -> int:
    return sum(len(tally.acknowledged) for tally in load.tallies.values())


def _await_sharing(site: ClusterSite, before: Mapping[str, Counter[str]], begin: float) -> dict[str, float]:
    """Wait until every gateway had its share by each way; give how long that took."""
    took: dict[str, float] = {}

    def all_share() -> bool:
        for way in WAYS.keys() - took.keys():
            found = shares(before[way], accepted(site, WAYS[way]))
            if len(found) == GATEWAYS and min(found.values()) >= LEAST_SHARE:
                took[way] = round(time.monotonic() - begin, 1)
        assert took.keys() == WAYS.keys(), took
        return True

    forgive = (AssertionError, httpx.HTTPError)
    until("six gateways to share", all_share, seconds=SHARED_SECONDS, pause=2, forgive=forgive)
    return took


def _spread(site: ClusterSite, way: str, before: Counter[str]) -> list[float]:
    return sorted(round(share, 3) for share in shares(before, accepted(site, WAYS[way])).values())
