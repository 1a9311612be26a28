"""A store that vanishes with its node: nobody tells its clients that their connection has ended."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from components.values.addresses import LOOPBACK
from components.values.documents import Document
from tests.collectors.conftest import RunCollector
from tests.support.collectors import one_span
from tests.support.relay import relayed
from tests.support.waiting import until

STORES = {
    "jaeger": ("jaeger/jaeger.yaml", ("receivers",)),
    "tempo": ("tempo/tempo.yaml", ("distributor", "receivers")),
}

WRITTEN_SECONDS = 10.0


def receiver_of(store: str) -> dict[str, Any]:
    """Give the configuration with which a store accepts OTLP over gRPC."""
    file, keys = STORES[store]
    return dict(Document.read(file).get(*keys, "otlp", "protocols", "grpc"))


def writer() -> dict[str, Any]:
    """Give the configuration with which processors write to either."""
    return dict(Document.read("otel-processor/processor.yaml").get("exporters", "otlp_grpc/jaeger"))


@pytest.mark.timeout(180)
def test_processors_connect_anew_to_a_store_that_is_elsewhere_now(run_collector: RunCollector) -> None:
    """The call waits for the store's answer, at most a minute here."""
    store = run_collector({}, name="store", grpc=receiver_of("jaeger"))
    with relayed(LOOPBACK, store.target) as way:
        to_it = {"otlp_grpc/jaeger": {**writer(), "endpoint": way.door}}
        processor = run_collector({}, name="processor", exporters=to_it)
        processor.send(one_span(secrets.token_hex(16), "before"))
        way.vanish()
        processor.send(one_span(secrets.token_hex(16), "after"))
        until("both to be written", lambda: len(store.spans()) == 2, seconds=WRITTEN_SECONDS)
    assert [span["name"] for span in store.spans()] == ["before", "after"]


@pytest.mark.parametrize("store", STORES)
def test_no_store_takes_the_question_whether_it_is_there_for_an_attack(store: str) -> None:
    """Left to itself it would end the connection of who asks more often than every five minutes."""
    allowed = receiver_of(store)["keepalive"]["enforcement_policy"]
    assert _seconds(allowed["min_time"]) <= _seconds(writer()["keepalive"]["time"])
    assert allowed["permit_without_stream"]


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))
