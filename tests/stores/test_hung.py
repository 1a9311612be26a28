"""Queries while a replica of a store neither ends nor answers: the others hand it no more of them."""

from __future__ import annotations

import signal
import time

import httpx
import pytest

from tests.conftest import Note
from tests.stores.making import LOKI, MIMIR, TEMPO, Kind, StoreMaker
from tests.stores.otlp import Body, counter, logs, trace
from tests.stores.replicas import TENANT, Store
from tests.support.waiting import until
from tests.support.watching import Question, demand_answers, watching

pytestmark = pytest.mark.long

HUNG_SECONDS = 120.0
"""Longer than it takes the others to have handed a query to each of its connections, if they never close."""
SILENCE_SECONDS = 45.0
"""Two queries that are given up after ten seconds each, and their answers on a busy machine."""
ASK_SECONDS, READY_SECONDS = 10.0, 120.0
TRACE = "0af7651916cd43dd8448eb211c80319c"

SENT: dict[str, tuple[int, str, Body]] = {
    "tempo": (4318, "/v1/traces", trace(TRACE)),
    "mimir": (MIMIR.port, "/otlp/v1/metrics", counter("hung", 1)),
    "loki": (LOKI.port, "/otlp/v1/logs", logs(["hung"])),
}
"""Store -> where something is sent, and what."""

ASKED: dict[str, tuple[str, dict[str, str], bytes]] = {
    "tempo": (f"/api/traces/{TRACE}", {}, b"stock"),
    "mimir": ("/prometheus/api/v1/query", {"query": "last_over_time(orders_made_total[1h])"}, b"hung"),
    "loki": ("/loki/api/v1/query_range", {"query": '{service_name="shop"}', "since": "1h"}, b"hung"),
}
"""Store -> the query by which it is found, and what the answer has of it."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kind", "network"), [(TEMPO, "127.0.61"), (MIMIR, "127.0.62"), (LOKI, "127.0.63")], ids=SENT
)
def test_the_others_answer(stores: StoreMaker, note: Note, kind: Kind, network: str) -> None:
    store = stores.make(kind, network)
    try:
        store.begin_all()
        *others, hung = store.addresses
        port, path, body = SENT[kind.binary]
        url = f"http://{others[0]}:{port}{path}"
        httpx.post(url, json=body, headers=TENANT, timeout=30).raise_for_status()
        questions = {address: _question(store, address) for address in others}
        for address, question in questions.items():
            until(f"{address} to answer", question, seconds=READY_SECONDS, forgive=(httpx.HTTPError,))
        program = store.running[hung].process
        program.send_signal(signal.SIGSTOP)
        try:
            with watching(questions) as answers:
                time.sleep(HUNG_SECONDS)
        finally:
            program.send_signal(signal.SIGCONT)
    finally:
        store.end()
    demand_answers(answers, note, SILENCE_SECONDS)


def _question(store: Store, address: str) -> Question:
    path, parameters, found = ASKED[store.binary]
    url = f"{store.url(address)}{path}"

    def ask() -> bool:
        answer = httpx.get(url, params=parameters, headers=TENANT, timeout=ASK_SECONDS)
        return found in answer.raise_for_status().content

    return ask
