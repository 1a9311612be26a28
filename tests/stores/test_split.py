"""Stores divided into parts: what is written to one part is found through another, and so are the rules."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.stores.conftest import SMALL
from tests.stores.making import LOKI, MIMIR, TEMPO, Kind, StoreMaker
from tests.stores.otlp import counter, logs, trace
from tests.stores.replicas import TENANT, Store
from tests.support.manifests import tree
from tests.support.program import run_program
from tests.support.waiting import until

pytestmark = pytest.mark.long

FOUND_SECONDS = 120.0
NOT_YET = (httpx.HTTPError,)


@pytest.fixture(scope="module")
def divided(stores: StoreMaker) -> StoreMaker:
    config = {**SMALL, "stores": {"shape": "split"}}
    return replace(stores, objects=tree(run_program(config), config))


@contextmanager
def running(divided: StoreMaker, kind: Kind, network: str) -> Iterator[Store]:
    store = divided.make(kind, network)
    assert len(set(store.parts.values())) > 1
    try:
        store.begin_all()
        yield store
    finally:
        store.end()


def send(url: str, body: Mapping[str, Any]) -> None:
    httpx.post(url, json=body, headers=TENANT, timeout=30).raise_for_status()


def ask(url: str, **parameters: str) -> Any:
    answer = httpx.get(url, params=parameters, headers=TENANT, timeout=60)
    return answer.raise_for_status().json()


def rules(url: str) -> set[str]:
    groups = ask(url)["data"]["groups"]
    return {rule["name"] for group in groups for rule in group["rules"]}


def test_tempo(divided: StoreMaker) -> None:
    trace_id = secrets.token_hex(16)
    with running(divided, TEMPO, "127.0.53") as tempo:
        send(f"http://{tempo.part('tempo-distributor')}:4318/v1/traces", trace(trace_id))
        url = f"{tempo.url(tempo.part('tempo-query-frontend'))}/api/traces/{trace_id}"
        assert until("the trace", lambda: ask(url)["batches"], seconds=FOUND_SECONDS, forgive=NOT_YET)


def test_mimir(divided: StoreMaker) -> None:
    with running(divided, MIMIR, "127.0.51") as mimir:
        send(f"{mimir.url(mimir.part('mimir'))}/otlp/v1/metrics", counter("divided", 1))
        api = f"{mimir.url(mimir.part('mimir-read'))}/prometheus/api/v1"

        def samples() -> Any:
            return ask(f"{api}/query", query='orders_made_total{series="divided"}')["data"]["result"]

        assert until("the sample", samples, seconds=FOUND_SECONDS, forgive=NOT_YET)
        wanted = {"Watchdog", "StoreQuorumLost", "program:memory_limit:bytes"}
        until("the rules", lambda: wanted <= rules(f"{api}/rules"), seconds=FOUND_SECONDS, forgive=NOT_YET)

        def is_firing() -> Any:
            return ask(f"{api}/query", query='ALERTS{alertname="Watchdog"}')["data"]["result"]

        assert until("the Watchdog", is_firing, seconds=2 * FOUND_SECONDS, forgive=NOT_YET)


def test_loki(divided: StoreMaker) -> None:
    late = 12 * 3600
    with running(divided, LOKI, "127.0.52") as loki:
        writer = f"{loki.url(loki.part('loki-cluster'))}/otlp/v1/logs"
        send(writer, logs(["now"]))
        send(writer, logs(["late"], age=late))
        reader = loki.url(loki.part("loki-read"))

        def lines() -> set[str]:
            start = f"{time.time() - late - 3600:.0f}"
            found = ask(f"{reader}/loki/api/v1/query_range", query='{service_name="shop"}', start=start)
            return {value[1] for one in found["data"]["result"] for value in one["values"]}

        until("both", lambda: {"now", "late"} <= lines(), seconds=FOUND_SECONDS, forgive=NOT_YET)
        names = until(
            "the rules",
            lambda: rules(f"{reader}/prometheus/api/v1/rules"),
            seconds=FOUND_SECONDS,
            forgive=NOT_YET,
        )
        assert names == {"logs:records:rate1m", "logs:errors:rate1m", "ErrorLogsRising"}
