"""Loki in three replicas: what it has acknowledged is found again, whatever happens to one at a time."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.stores.making import LOKI, StoreMaker
from tests.stores.otlp import logs
from tests.stores.replicas import TENANT, ObjectService, Store
from tests.support.waiting import until

pytestmark = pytest.mark.long

HOUR = 3600.0


@pytest.fixture(scope="module")
def loki(stores: StoreMaker) -> Iterator[Store]:
    store = stores.make(LOKI, "127.0.42")
    try:
        store.begin_all()
        yield store
    finally:
        store.end()


class Sender:
    """Writes numbered lines and remembers those that were acknowledged."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.run = secrets.token_hex(4)
        self.sent: list[str] = []

    def send(self, address: str, count: int = 10, *, age: float = 0) -> None:
        lines = [f"{self.run} {len(self.sent) + number}" for number in range(count)]
        url = f"{self.store.url(address)}/otlp/v1/logs"
        httpx.post(url, json=logs(lines, age=age), headers=TENANT, timeout=30).raise_for_status()
        self.sent += lines

    def found(self, address: str, *, oldest: float = HOUR) -> set[str]:
        start = f"{time.time() - oldest:.0f}"
        parameters = {"query": '{service_name="shop"}', "limit": "5000", "start": start}
        url = f"{self.store.url(address)}/loki/api/v1/query_range"
        answer = httpx.get(url, params=parameters, headers=TENANT, timeout=60).raise_for_status()
        lines = {value[1] for one in answer.json()["data"]["result"] for value in one["values"]}
        return {line for line in lines if line.startswith(self.run)}


def test_nothing_acknowledged_is_lost(loki: Store, s3: ObjectService) -> None:
    sender = Sender(loki)
    first, second, third = loki.addresses
    sender.send(first)
    for address in loki.addresses:
        assert sender.found(address) == set(sender.sent), address

    loki.running.pop(third).end(signal.SIGKILL)
    sender.send(first)
    assert sender.found(second) == set(sender.sent)
    loki.begin(third)
    loki.await_ready(third)

    for address in loki.addresses:
        loki.wipe(address)
        sender.send(next(other for other in loki.addresses if other != address))
        loki.begin(address)
        loki.await_ready(address)
    for address in loki.addresses:
        assert sender.found(address) == set(sender.sent), address
    assert any(key.startswith("otel-stack/") for key in s3.objects("acme-dev-logs"))


def test_replicas_that_are_killed_together_read_their_logs_again(loki: Store) -> None:
    sender = Sender(loki)
    sender.send(loki.addresses[0])
    loki.kill_all()
    until("all of them are found", lambda: sender.found(loki.addresses[1]) == set(sender.sent), seconds=120)


def test_a_replica_gets_ready_while_another_one_cannot_start(loki: Store) -> None:
    """A rollout waits for each before it goes on to the next, at last to the one that needs it."""
    loki.demand_ready_without_another(ring="/ring")


def test_records_that_waited_in_kafka_are_kept(loki: Store) -> None:
    """One process asks its memory for the last hours only: old records show once they are in the bucket."""
    sender, address = Sender(loki), loki.addresses[0]
    sender.send(address)
    for hours in (23, 2, 12):
        sender.send(address, age=hours * HOUR)
    for other in loki.addresses:
        httpx.post(f"{loki.url(other)}/flush", timeout=60).raise_for_status()

    def missing() -> set[str]:
        return set(sender.sent) - sender.found(address, oldest=24 * HOUR)

    until("all of them are found", lambda: not missing(), seconds=120)


def test_requests_name_their_tenant(loki: Store) -> None:
    assert httpx.post(f"{loki.url()}/otlp/v1/logs", json=logs(["x"])).status_code == httpx.codes.UNAUTHORIZED


def test_rules_are_those_of_the_files(loki: Store) -> None:
    def names() -> set[str]:
        answer = httpx.get(f"{loki.url()}/prometheus/api/v1/rules", headers=TENANT).json()
        return {rule["name"] for group in answer["data"]["groups"] for rule in group["rules"]}

    found = until("Loki's rulers have the rules", names, seconds=180)
    assert found == {"logs:records:rate1m", "logs:errors:rate1m", "ErrorLogsRising"}
