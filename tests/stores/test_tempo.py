"""Tempo in three replicas: traces are found again with one replica dead, and in the bucket."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.stores.making import TEMPO, StoreMaker
from tests.stores.otlp import trace
from tests.stores.replicas import TENANT, ObjectService, Store
from tests.support.waiting import until

pytestmark = pytest.mark.long

LOGGED_SECONDS = 10.0
"""More than twice what ``trace_idle_period`` and ``flush_check_period`` come to."""


@pytest.fixture(scope="module")
def tempo(stores: StoreMaker) -> Iterator[Store]:
    sooner = {
        ("storage", "trace", "blocklist_poll"): "10s",
        ("ingester", "lifecycler", "ring", "heartbeat_timeout"): "30s",
    }
    store = stores.make(TEMPO, "127.0.43", sooner=sooner)
    try:
        store.begin_all()
        yield store
    finally:
        store.end()


class Sender:
    """Writes traces and remembers those that were acknowledged."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sent: list[str] = []

    def send(self, address: str, count: int = 5, *, age: float = 0) -> None:
        url = f"http://{address}:4318/v1/traces"
        for _ in range(count):
            trace_id = secrets.token_hex(16)
            body = trace(trace_id, age=age)
            httpx.post(url, json=body, headers=TENANT, timeout=30).raise_for_status()
            self.sent.append(trace_id)

    def missing(self) -> list[str]:
        urls = {trace_id: f"{self.store.url()}/api/traces/{trace_id}" for trace_id in self.sent}
        return [
            trace_id
            for trace_id, url in urls.items()
            if httpx.get(url, headers=TENANT, timeout=60).status_code != httpx.codes.OK
        ]


def test_nothing_acknowledged_is_lost(tempo: Store, s3: ObjectService) -> None:
    sender = Sender(tempo)
    _, second, third = tempo.addresses
    sender.send(second)
    assert sender.missing() == []

    tempo.running.pop(third).end(signal.SIGKILL)
    sender.send(second)
    assert sender.missing() == []
    tempo.begin(third)
    tempo.await_ready(third)

    tempo.wipe(second)
    until("blocks are in the bucket", lambda: blocks(s3), seconds=120)
    assert sender.missing() == []
    tempo.begin(second)
    tempo.await_ready(second)
    sender.send(second)
    # A query on its way to the replica that went is an error, not a loss.
    until("all traces are found", lambda: not sender.missing(), seconds=120)


def test_stopping_replicas_hand_over_what_only_their_disks_have(tempo: Store) -> None:
    """Nobody tells them to flush. A disk that is gone could be made up for by the others; three cannot."""
    sender = Sender(tempo)
    for address in tempo.addresses:
        sender.send(address)
    for address in tempo.addresses:
        tempo.wipe(address)
    tempo.begin_all()
    until("all traces are found", lambda: not sender.missing(), seconds=120, forgive=(httpx.HTTPError,))


def logged(tempo: Store) -> float:
    """When the last replica has written traces to its log, whose blocks are whole with their meta.json."""
    logs = [tempo.folder / address / "data" / "wal" for address in tempo.addresses]
    return min(max((path.stat().st_mtime for path in log.glob("*/meta.json")), default=0.0) for log in logs)


def test_replicas_that_are_killed_together_read_their_logs_again(tempo: Store) -> None:
    """What came within the last seconds is in no log yet."""
    sender, begin = Sender(tempo), time.time()
    sender.send(tempo.addresses[0])
    until(
        "the traces to be in all logs",
        lambda: logged(tempo) > begin,
        seconds=LOGGED_SECONDS,
        pause=0.5,
    )
    tempo.kill_all()
    until("all of them are found", lambda: not sender.missing(), seconds=120, forgive=(httpx.HTTPError,))


def test_a_replica_gets_ready_while_another_one_cannot_start(tempo: Store) -> None:
    """A rollout waits for each before it goes on to the next, at last to the one that needs it."""
    tempo.demand_ready_without_another(ring="/ingester/ring")


def blocks(s3: ObjectService) -> list[str]:
    """Blocks of the tenant that are whole."""
    return [
        key for key in s3.objects("acme-dev-traces") if key.startswith("otel-stack/") and "meta.json" in key
    ]


def test_traces_are_searched_by_what_they_say(tempo: Store) -> None:
    Sender(tempo).send(tempo.addresses[0])
    now = int(time.time())
    parameters = {"q": '{ .service.name = "shop" }', "start": str(now - 600), "end": str(now + 60)}

    def search() -> list[object]:
        answer = httpx.get(f"{tempo.url()}/api/search", params=parameters, headers=TENANT, timeout=60)
        found: list[object] = answer.json().get("traces", []) if answer.status_code == httpx.codes.OK else []
        return found

    assert until("a search finds the trace", search, seconds=60)


def test_traces_that_waited_in_kafka_are_searched_by_their_own_time(tempo: Store) -> None:
    sender, age = Sender(tempo), 20 * 3600
    sender.send(tempo.addresses[0], age=age)
    for address in tempo.addresses:
        httpx.get(f"{tempo.url(address)}/flush", timeout=60)
    at = int(time.time()) - age
    parameters = {"q": "{}", "start": str(at - 600), "end": str(at + 600)}

    def search() -> bool:
        answer = httpx.get(f"{tempo.url()}/api/search", params=parameters, headers=TENANT, timeout=60)
        assert {one["traceID"].zfill(32) for one in answer.json()["traces"]} == set(sender.sent)
        return True

    until("a search finds all of them", search, seconds=150, forgive=(AssertionError, KeyError, ValueError))


def test_requests_name_their_tenant(tempo: Store) -> None:
    answer = httpx.get(f"{tempo.url()}/api/search", timeout=30)
    assert answer.status_code == httpx.codes.UNAUTHORIZED
