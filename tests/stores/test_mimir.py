"""Mimir in three replicas: samples, late ones, exemplars, rules, alerts, with one replica less at a time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.stores.making import MIMIR, StoreMaker
from tests.stores.otlp import Body, counter, exponential_histogram
from tests.stores.replicas import TENANT, ObjectService, Store
from tests.support.waiting import until

pytestmark = pytest.mark.long

HOURS = 3600
FOUND_IN_BUCKET = 240.0
KEPT_SECONDS = 120.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
OTHER_TENANT = {"X-Scope-OrgID": "another-team"}


@pytest.fixture(scope="module")
def mimir(stores: StoreMaker) -> Iterator[Store]:
    """Mimir as it is, but that it looks into its bucket every few seconds and not minutes."""
    store = stores.make(
        MIMIR,
        "127.0.41",
        sooner={
            ("blocks_storage", "bucket_store", "sync_interval"): "5s",
            ("compactor", "cleanup_interval"): "5s",
            ("alertmanager", "persist_interval"): "10s",
            ("ruler", "evaluation_interval"): "10s",
        },
    )
    try:
        store.begin_all()
        yield store
    finally:
        store.end()


def post(store: Store, address: str, body: Body, headers: Mapping[str, str]) -> httpx.Response:
    return httpx.post(f"{store.url(address)}/otlp/v1/metrics", json=body, headers=dict(headers), timeout=30)


def send(store: Store, address: str, series: str, *, age: float = 0, trace_id: str | None = None) -> None:
    post(store, address, counter(series, 1, age=age, trace_id=trace_id), TENANT).raise_for_status()


def ask(
    store: Store, address: str, path: str, *, tenant: Mapping[str, str] = TENANT, **parameters: str
) -> Any:
    url = f"{store.url(address)}/prometheus/api/v1/{path}"
    answer = httpx.get(url, params=parameters, headers=dict(tenant), timeout=60)
    return answer.raise_for_status().json()["data"]


def series(store: Store, address: str, tenant: Mapping[str, str] = TENANT) -> set[str]:
    query = "group by (series) (last_over_time(orders_made_total[24h]))"
    found = ask(store, address, "query", query=query, tenant=tenant)["result"]
    return {one["metric"]["series"] for one in found}


def test_nothing_acknowledged_is_lost(mimir: Store, s3: ObjectService) -> None:
    first, second, third = mimir.addresses
    sent = {"first", "late"}
    send(mimir, first, "first", trace_id=TRACE)
    send(mimir, second, "late", age=20 * HOURS)
    for address in mimir.addresses:
        assert series(mimir, address) == sent, address

    mimir.running.pop(third).end(signal.SIGKILL)
    send(mimir, first, "one-dead")
    sent.add("one-dead")
    assert series(mimir, second) == sent
    mimir.begin(third)
    mimir.await_ready(third)

    for number, address in enumerate(mimir.addresses):
        mimir.wipe(address)
        send(mimir, next(other for other in mimir.addresses if other != address), f"wiped-{number}")
        sent.add(f"wiped-{number}")
        mimir.begin(address)
        mimir.await_ready(address)
    until(
        f"all of {sorted(sent)} are found in replicas or bucket",
        lambda: sent == series(mimir, first),
        seconds=FOUND_IN_BUCKET,
        forgive=(httpx.HTTPStatusError,),
    )
    assert any(key.startswith("otel-stack/") for key in s3.objects("acme-dev-metrics"))


def test_replicas_that_are_killed_together_read_their_logs_again(mimir: Store) -> None:
    send(mimir, mimir.addresses[0], "all-killed")
    mimir.kill_all()
    until(
        "it is found",
        lambda: "all-killed" in series(mimir, mimir.addresses[1]),
        seconds=FOUND_IN_BUCKET,
        forgive=(httpx.HTTPStatusError,),
    )


def test_exemplars_lead_to_traces(mimir: Store) -> None:
    send(mimir, mimir.addresses[0], "exemplar", trace_id=TRACE)
    end = time.time() + 60
    found = ask(
        mimir,
        mimir.addresses[1],
        "query_exemplars",
        query="orders_made_total",
        start=f"{end - HOURS:.0f}",
        end=f"{end:.0f}",
    )
    assert {one["labels"]["trace_id"] for entry in found for one in entry["exemplars"]} == {TRACE}


def test_exponential_histograms_are_kept_with_all_their_buckets(mimir: Store) -> None:
    body = exponential_histogram({-2: 1, 0: 2, 5: 4})
    post(mimir, mimir.addresses[0], body, TENANT).raise_for_status()
    (found,) = ask(mimir, mimir.addresses[1], "query", query="orders_duration_seconds")["result"]
    buckets = found["histogram"][1]["buckets"]
    assert [float(count) for *_, count in buckets] == [1, 2, 4]
    assert [float(upper) for _, _, upper, _ in buckets] == [0.5, 2, 64]


@pytest.mark.parametrize("path", ["query", "rules", "series"])
def test_queries_name_their_tenant(mimir: Store, path: str) -> None:
    answer = httpx.get(f"{mimir.url()}/prometheus/api/v1/{path}", timeout=30)
    assert answer.status_code == httpx.codes.UNAUTHORIZED


def test_samples_name_their_tenant(mimir: Store) -> None:
    answer = post(mimir, mimir.addresses[0], counter("nobodys", 1), {})
    assert answer.status_code == httpx.codes.UNAUTHORIZED


def test_tenants_do_not_see_each_others_samples_and_rules(mimir: Store) -> None:
    """The other one did not exist before its first sample."""
    first, second, _ = mimir.addresses
    send(mimir, first, "ours")
    assert series(mimir, second, OTHER_TENANT) == set()
    post(mimir, first, counter("theirs", 1), OTHER_TENANT).raise_for_status()
    assert series(mimir, second, OTHER_TENANT) == {"theirs"}
    assert "ours" in series(mimir, second)
    assert "theirs" not in series(mimir, second)
    assert ask(mimir, second, "rules")["groups"]
    assert ask(mimir, second, "rules", tenant=OTHER_TENANT)["groups"] == []


def test_rules_of_the_files_are_evaluated(mimir: Store) -> None:
    address = mimir.addresses[2]
    names = {rule["name"] for group in ask(mimir, address, "rules")["groups"] for rule in group["rules"]}
    assert {"Watchdog", "StoreQuorumLost", "program:memory_limit:bytes"} <= names
    until(
        "the alert Watchdog is stored",
        lambda: ask(mimir, address, "query", query='ALERTS{alertname="Watchdog"}')["result"],
        seconds=180,
    )

    def alerts() -> set[str]:
        answer = httpx.get(f"{mimir.url(address)}/alertmanager/api/v2/alerts", headers=TENANT, timeout=30)
        return {one["labels"]["alertname"] for one in answer.raise_for_status().json()}

    until(
        "Alertmanager has it", lambda: "Watchdog" in alerts(), seconds=120, forgive=(httpx.HTTPStatusError,)
    )


def test_below_the_alertmanagers_path_alerts_can_be_silenced_and_nothing_deleted(
    mimir: Store, s3: ObjectService
) -> None:
    below = f"{mimir.url(mimir.addresses[0])}/alertmanager"
    silence = {
        "matchers": [{"name": "alertname", "value": "none", "isRegex": False}],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "test",
        "comment": "test",
    }
    with httpx.Client(headers=TENANT, timeout=30) as client:
        assert client.post(f"{below}/api/v2/silences", json=silence).status_code == 200
        assert client.get(f"{below}/api/v2/silences").json()[0]["comment"] == "test"
        until("the bucket has it", lambda: s3.objects("acme-dev-alertmanager"), seconds=KEPT_SECONDS)
        assert client.post(f"{below}/compactor/delete_tenant").status_code == 404
        assert client.post(f"{below}/ingester/shutdown").status_code == 404
        assert client.post(f"{below}/api/v1/alerts", content=b"{}").status_code == 410


def test_no_rule_fails(mimir: Store) -> None:
    groups = ask(mimir, mimir.addresses[0], "rules")["groups"]
    failing = {
        rule["name"]: rule["lastError"]
        for group in groups
        for rule in group["rules"]
        if rule.get("lastError")
    }
    assert failing == {}
