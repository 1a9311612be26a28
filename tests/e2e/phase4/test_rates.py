"""How many events per second go from Kafka through processors and stores, and from there into the buckets."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest

from tests.conftest import Note
from tests.e2e.phase4.conftest import Deployment
from tests.e2e.phase4.handing_over import PAUSE_SECONDS, QUIET, hand_over
from tests.support.filling import fill
from tests.support.minio_pods import BUCKETS
from tests.support.object_site import BUCKET_OF, ObjectSite
from tests.support.steady import lag_gone
from tests.support.waiting import until

FILL_SECONDS = 5.0
DRAIN_SECONDS = 900.0

READY_SECONDS = 180
PROCESSOR, TELEMETRY_PORT = "otel-processor", 8888


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Where one signal ends.

    Attributes:
        store: the store.
        exporter: the processors' exporter to it.
        counted: what the exporter counts as sent, which is what the store has answered with OK.
        share: least share of the events that reaches it; a sampler keeps few traces.
    """

    store: str
    exporter: str
    counted: str
    share: float


SIGNALS: Mapping[str, Taken] = {
    "logs": Taken(store="loki-cluster", exporter="otlp_http/loki", counted="log_records", share=1),
    "metrics": Taken(store="mimir", exporter="otlp_http/mimir", counted="metric_points", share=1),
    "traces": Taken(store="tempo", exporter="otlp_grpc/tempo", counted="spans", share=0.01),
}


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("signal", SIGNALS)
def test_events_a_second_into_the_bucket(deployed: Deployment, note: Note, signal: str) -> None:
    """Fill Kafka while no processor runs, then time how long its content takes to go through."""
    site, taken = deployed.site, SIGNALS[signal]
    before = deployed.minio.objects.sizes(BUCKETS[BUCKET_OF[taken.store]]).keys()
    site.kubectl("scale", f"statefulset/{PROCESSOR}", "--replicas=0")
    until("no processor", lambda: not site.pods(PROCESSOR), seconds=READY_SECONDS)
    try:
        sent = fill(site.target, signal, seconds=FILL_SECONDS)
    finally:
        site.kubectl("scale", f"statefulset/{PROCESSOR}", "--replicas=2")
    begin, end, stored = _drained(site, taken)
    lag_gone(site)
    assert stored >= sent * taken.share, f"{stored} of {sent}"
    into_bucket, fresh = hand_over(site, deployed.minio.objects, taken.store, before)
    note(
        {
            "signal": signal,
            "sent": sent,
            "stored": int(stored),
            "read a second": round(sent / (end - begin)),
            "stored a second": round(stored / (end - begin)),
            "seconds to hand over": round(into_bucket, 1),
            "read a second, into the bucket": round(sent / (end - begin + into_bucket)),
            "bytes in the bucket": sum(fresh.values()),
        }
    )


def _drained(site: ObjectSite, taken: Taken) -> tuple[float, float, float]:
    """Watch fresh processors until they send nothing more: when they began, when they ended, how many."""
    begin = end = last = 0.0
    quiet, deadline = 0, time.monotonic() + DRAIN_SECONDS
    while not begin or quiet < QUIET:
        assert time.monotonic() < deadline, f"{last:.0f} events reached {taken.store}, and it is not over"
        looked = time.monotonic()
        now = _sent(site, taken)
        if now > last:
            begin, end, quiet = begin or looked, looked, 0
        else:
            quiet += 1
        last = now
        time.sleep(PAUSE_SECONDS)
    return begin - PAUSE_SECONDS, end, last


def _sent(site: ObjectSite, taken: Taken) -> float:
    """Add up over the processors what they have sent to a store."""
    name = f"otelcol_exporter_sent_{taken.counted}"
    pattern = re.compile(rf'^{name}\w*{{[^}}]*exporter="{taken.exporter}"[^}}]*}} (\S+)$', re.MULTILINE)
    found = 0.0
    for pod in site.pods(PROCESSOR):
        if pod.ready:
            answer = httpx.get(f"http://{pod.address}:{TELEMETRY_PORT}/metrics", timeout=30)
            found += sum(map(float, pattern.findall(answer.raise_for_status().text)))
    return found
