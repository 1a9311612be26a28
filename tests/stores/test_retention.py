"""What is older than the retention goes out of the bucket, and what is younger stays."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.stores.making import LOKI, MIMIR, TEMPO, StoreMaker, Values
from tests.stores.otlp import counter, logs, trace
from tests.stores.replicas import ObjectService, Store
from tests.support.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

OF = "retention"
TENANT = {"X-Scope-OrgID": OF}
"""A tenant of its own: the bucket holds what other tests have written."""
HOUR, DAY = 3600, 86400
KEPT_HOURS = 12
STORED_SECONDS, DELETED_SECONDS = 240.0, 600.0
GONE = (ClientError,)
"""An object that was listed may be deleted before it is read."""


@contextmanager
def running(store: Store) -> Iterator[Store]:
    try:
        store.begin_all()
        yield store
    finally:
        store.end()


def post(url: str, body: Mapping[str, Any]) -> None:
    httpx.post(url, json=dict(body), headers=TENANT, timeout=30).raise_for_status()


def owned(s3: ObjectService, bucket: str, name: str = "") -> list[str]:
    """Objects of the tenant whose keys end in a name."""
    return [key for key in s3.objects(bucket) if key.startswith(f"{OF}/") and key.endswith(name)]


def test_loki_deletes_old_chunks_only(stores: StoreMaker, s3: ObjectService) -> None:
    sooner: Values = {
        ("limits_config", "retention_period"): "24h",
        ("compactor", "compaction_interval"): "10s",
        ("compactor", "retention_delete_delay"): "90s",
    }
    store = stores.make(LOKI, "127.0.62", sooner=sooner)
    with running(store):
        for address in store.addresses:
            post(f"{store.url(address)}/otlp/v1/logs", logs([f"old {address}"], age=3 * DAY))
            post(f"{store.url(address)}/otlp/v1/logs", logs([f"new {address}"]))
        for address in store.addresses:
            httpx.post(f"{store.url(address)}/flush", timeout=60).raise_for_status()
        until("old chunks in the bucket", lambda: chunks(s3, older=True), seconds=STORED_SECONDS)
        for address in store.addresses:  # a replica that starts hands over the index that it had
            store.running.pop(address).end()
            store.begin(address)
            store.await_ready(address)
        until("them to be marked", lambda: markers(s3), seconds=DELETED_SECONDS)
        for address in store.addresses:  # who has marked them is gone, disk and all
            store.wipe(address)
            store.begin(address)
            store.await_ready(address)
        until("them to be gone", lambda: not chunks(s3, older=True), seconds=DELETED_SECONDS, pause=2)
        assert chunks(s3, older=False)
        assert len(lines(store)) == len(store.addresses)


def markers(s3: ObjectService) -> list[str]:
    """Lists of chunks that are to be deleted."""
    return [key for key in s3.objects("acme-dev-logs") if key.startswith("deletion-markers/")]


def chunks(s3: ObjectService, *, older: bool) -> list[str]:
    """Chunks that end before the retention began, or later: their keys say when, in milliseconds."""
    bound = (time.time() - DAY) * 1000
    ends = {key: int(key.split("/")[2].split(":")[1], 16) for key in owned(s3, "acme-dev-logs")}
    return [key for key, end in ends.items() if (end < bound) is older]


def lines(store: Store) -> set[str]:
    """Lines of the last hour."""
    at = time.time()
    query = {"query": '{service_name="shop"}', "start": f"{at - HOUR:.0f}", "end": f"{at + HOUR:.0f}"}
    url = f"{store.url()}/loki/api/v1/query_range"
    answer = httpx.get(url, params=query, headers=TENANT, timeout=60).raise_for_status()
    return {value[1] for one in answer.json()["data"]["result"] for value in one["values"]}


def test_mimir_deletes_old_blocks_only(stores: StoreMaker, s3: ObjectService) -> None:
    sooner: Values = {
        ("limits", "compactor_blocks_retention_period"): f"{KEPT_HOURS}h",
        ("compactor", "cleanup_interval"): "20s",
        ("compactor", "deletion_delay"): "1s",
        ("blocks_storage", "bucket_store", "sync_interval"): "5s",
    }
    store = stores.make(MIMIR, "127.0.61", sooner=sooner)
    with running(store):
        url = f"{store.url()}/otlp/v1/metrics"
        post(url, counter("new", 1))
        post(url, counter("old", 1, age=20 * HOUR))
        for address in store.addresses:
            httpx.post(f"{store.url(address)}/ingester/flush?wait=true", timeout=60).raise_for_status()
        until(
            "old blocks in the bucket", lambda: _blocks(s3, older=True), seconds=STORED_SECONDS, forgive=GONE
        )
        assert _blocks(s3, older=False)
        until(
            "them to be gone",
            lambda: not _blocks(s3, older=True),
            seconds=DELETED_SECONDS,
            pause=2,
            forgive=GONE,
        )
        assert _blocks(s3, older=False)


def _blocks(s3: ObjectService, *, older: bool) -> list[str]:
    """Blocks that end before the retention began, or later."""
    bound = (time.time() - KEPT_HOURS * HOUR) * 1000
    found = []
    for key in owned(s3, "acme-dev-metrics", "meta.json"):
        ends = json.loads(s3.buckets.read("acme-dev-metrics", key))["maxTime"]
        found += [key] if (ends < bound) is older else []
    return found


def test_tempo_deletes_old_blocks_only(stores: StoreMaker, s3: ObjectService) -> None:
    sooner: Values = {
        ("compactor", "compaction", "block_retention"): "1h",
        ("compactor", "compaction", "compacted_block_retention"): "1s",
        ("storage", "trace", "blocklist_poll"): "5s",
    }
    store = stores.make(TEMPO, "127.0.63", sooner=sooner)
    with running(store):
        old, young = secrets.token_hex(16), secrets.token_hex(16)

        def write(body: Mapping[str, Any]) -> None:
            post(f"http://{store.addresses[0]}:4318/v1/traces", body)
            for address in store.addresses:
                httpx.get(f"{store.url(address)}/flush", timeout=60).raise_for_status()

        def has(identity: str) -> bool:
            url = f"{store.url()}/api/traces/{identity}"
            return httpx.get(url, headers=TENANT, timeout=60).status_code == httpx.codes.OK

        write(trace(old, age=3 * HOUR))
        old_ones = partial(_trace_blocks, s3, older=True)
        until("old blocks in the bucket", old_ones, seconds=STORED_SECONDS, forgive=GONE)
        write(trace(young))
        young_ones = partial(_trace_blocks, s3, older=False)
        until("young blocks in the bucket", young_ones, seconds=STORED_SECONDS, forgive=GONE)
        until("the old to go", lambda: not old_ones(), seconds=DELETED_SECONDS, pause=2, forgive=GONE)
        assert young_ones()
        assert has(young)
        until("the old trace to be forgotten", lambda: not has(old), seconds=DELETED_SECONDS, pause=2)


def _trace_blocks(s3: ObjectService, *, older: bool) -> list[str]:
    """Blocks that end before the retention began, or later."""
    bound = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - HOUR))
    found = []
    for key in owned(s3, "acme-dev-traces", "meta.json"):
        ends = json.loads(s3.buckets.read("acme-dev-traces", key))["endTime"]
        found += [key] if (ends < bound) is older else []
    return found
