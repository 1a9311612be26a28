"""How much space a span, a sample and a log line take in the buckets, and how long queries for them take."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from statistics import median

import httpx
import pytest

from ops.web import tenant_header
from tests.conftest import Note
from tests.e2e.phase4.conftest import Deployment
from tests.e2e.phase4.handing_over import hand_over
from tests.support.minio_pods import BUCKETS
from tests.support.numbered import METRIC, SPANS, Load, Rates, trace_id
from tests.support.numbered_sending import running
from tests.support.object_site import BUCKET_OF, LOKI, MIMIR, STORES, TEMPO, TENANT, ObjectSite
from tests.support.objects import Objects
from tests.support.steady import demand_nothing_lost, flow

LOAD_SECONDS, FLOW_SECONDS = 120.0, 300.0
TIMES = 15
RATES = Rates(logs=1000, metrics=1000, traces=100)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_bytes_and_seconds(deployed: Deployment, note: Note) -> None:
    site, objects = deployed.site, deployed.minio.objects
    load = Load(run="sizes", target=site.target, rates=RATES)
    for store in STORES:
        hand_over(site, objects, store, ())
    before = {store: dict(objects.sizes(BUCKETS[BUCKET_OF[store]])) for store in STORES}
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        time.sleep(LOAD_SECONDS)
    demand_nothing_lost(site, load)
    fresh = {store: hand_over(site, objects, store, before[store])[1] for store in STORES}
    lines = load.acknowledged("logs")
    note(
        {
            "bytes of a span, each copy": _of_blocks(objects, "tempo", fresh["tempo"], "totalObjects", SPANS),
            "bytes of a sample, each copy": _of_blocks(objects, "mimir", fresh["mimir"], "numSamples", 1),
            "bytes of a log line, all copies": round(sum(fresh["loki-cluster"].values()) / lines, 1),
            "log lines": lines,
        }
    )
    note({"seconds of queries, median and most": _seconds(site, load)})


def _of_blocks(objects: Objects, store: str, fresh: Mapping[str, int], counted: str, each: int) -> float:
    """Divide the bytes of blocks by what their own descriptions count."""
    bucket, count, total = BUCKETS[BUCKET_OF[store]], 0, 0
    for key in fresh:
        if key.endswith("/meta.json"):
            description = json.loads(objects.read(bucket, key))
            count += {**description, **description.get("stats", {})}[counted] * each
            block = key.removesuffix("meta.json")
            total += sum(size for name, size in fresh.items() if name.startswith(block))
    return round(total / count, 1)


def _seconds(site: ObjectSite, load: Load) -> dict[str, tuple[float, float]]:
    service = f'service_name="{load.service}"'
    now = f"{time.time():.0f}"
    hour = {"start": f"{time.time() - 3600:.0f}", "end": now}
    metrics, logs = f"{site.url(MIMIR)}/api/v1", f"{site.url(LOKI)}/loki/api/v1"
    search = {"q": f'{{ .service.name = "{load.service}" && status = error }}', "limit": "20", **hour}
    rate = f"sum by (worker) (count_over_time({METRIC}{{{service}}}[1m]))"
    asked: Mapping[str, tuple[str, Mapping[str, str]]] = {
        "trace by id": (f"{site.url(TEMPO)}/api/traces/{trace_id(load.run, 0).hex()}", {}),
        "traces with errors, an hour": (f"{site.url(TEMPO)}/api/search", search),
        "samples a minute, an hour": (f"{metrics}/query_range", {"query": rate, "step": "15", **hour}),
        "newest 100 lines": (f"{logs}/query_range", {"query": f"{{{service}}}", "limit": "100", **hour}),
        "lines that contain 7, an hour": (
            f"{logs}/query_range",
            {"query": f'sum(count_over_time({{{service}}} |= "7" [1m]))', "step": "60", **hour},
        ),
    }
    return {name: _time(url, parameters) for name, (url, parameters) in asked.items()}


def _time(url: str, parameters: Mapping[str, str]) -> tuple[float, float]:
    took = []
    for _ in range(TIMES):
        begin = time.monotonic()
        httpx.get(url, params=dict(parameters), headers=tenant_header(TENANT), timeout=60).raise_for_status()
        took.append(time.monotonic() - begin)
    return round(median(took), 3), round(max(took), 3)
