"""One smoke run: send over both transports, ask until everything is there or time is up."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import httpx
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from ops.screen import err
from ops.smoke.signals import Sent, Transport, send
from ops.smoke.stores import Answer, Stores, ask
from ops.smoke.traces import READERS
from ops.web import ANSWER_SECONDS, tenant_header

POLL_SECONDS = 0.5
_CARRIED_BY = {"exemplar": "metric"}


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Addresses that a smoke run needs; each is a base address without path.

    Attributes:
        grpc: OTLP over gRPC.
        http: OTLP over HTTP.
        traces: Jaeger's query API, or Tempo's.
        metrics: Prometheus's query API, or Mimir's.
        logs: Loki's query API.
        tenant: value of ``X-Scope-OrgID`` in every query; empty without tenants.
        trace_store: what ``traces`` is, ``jaeger`` or ``tempo``.
        metric_store: what ``metrics`` is, ``prometheus`` or ``mimir``.
    """

    grpc: str
    http: str
    traces: str
    metrics: str
    logs: str
    tenant: str = ""
    trace_store: str = "jaeger"
    metric_store: str = "prometheus"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What became of one thing that was sent.

    Attributes:
        transport: how it was sent.
        signal: what it is.
        store: where it belongs.
        arrived: it was found there.
        seconds: from the start of sending to the answer that settled it.
        detail: what was found, or why not.
    """

    transport: Transport
    signal: str
    store: str
    arrived: bool
    seconds: float
    detail: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of a run.

    Attributes:
        smoke_id: marks everything that was sent.
        arrivals: one per transport and signal.
    """

    smoke_id: str
    arrivals: tuple[Arrival, ...]

    @property
    def passed(self) -> bool:
        """Everything arrived."""
        return all(arrival.arrived for arrival in self.arrivals)

    def as_dict(self) -> dict[str, object]:
        """The form for machines."""
        return {
            "smoke_id": self.smoke_id,
            "passed": self.passed,
            "arrivals": [asdict(arrival) for arrival in self.arrivals],
        }


class _Wait:
    """One thing that was sent, and what its store said last."""

    def __init__(self, sent: Sent, signal: str, store: str, question: Callable[[Sent], Answer]) -> None:
        refusal = sent.refused.get(_CARRIED_BY.get(signal, signal))
        self._sent, self._question = sent, question
        self._signal, self._store = signal, store
        self._answer = Answer(arrived=False, detail=f"not accepted: {refusal}" if refusal else "not asked")
        self._seconds = 0.0
        self.open = not refusal

    def ask(self) -> None:
        """Ask the store, unless it is settled."""
        if self.open:
            self._answer = ask(self._question, self._sent)
            self._seconds = time.time() - self._sent.started
            self.open = not self._answer.arrived

    def arrival(self) -> Arrival:
        """What became of it."""
        return Arrival(
            transport=self._sent.transport,
            signal=self._signal,
            store=self._store,
            arrived=self._answer.arrived,
            seconds=round(self._seconds, 2),
            detail=self._answer.detail,
        )


def run(endpoints: Endpoints, timeout: float) -> Report:
    """Send, then ask until all has arrived or ``timeout`` seconds have passed since everything was sent."""
    smoke_id = uuid.uuid4().hex
    headers = tenant_header(endpoints.tenant)
    with (
        httpx.Client(timeout=ANSWER_SECONDS, headers=headers) as client,
        err.status("sending a trace, a log and a metric"),
    ):
        sent = [send(smoke_id, "grpc", endpoints.grpc), send(smoke_id, "http", endpoints.http)]
        stores = Stores(
            client=client,
            traces=endpoints.traces,
            metrics=endpoints.metrics,
            logs=endpoints.logs,
            read_trace=READERS[endpoints.trace_store],
        )
        waits = [wait for one in sent for wait in _waits(stores, one, endpoints)]
        _settle(waits, timeout)
    return Report(smoke_id=smoke_id, arrivals=tuple(wait.arrival() for wait in waits))


def _waits(stores: Stores, sent: Sent, endpoints: Endpoints) -> list[_Wait]:
    traces, metrics = endpoints.trace_store.capitalize(), endpoints.metric_store.capitalize()
    return [
        _Wait(sent, "trace", traces, stores.trace),
        _Wait(sent, "log", "Loki", stores.log),
        _Wait(sent, "metric", metrics, stores.metric),
        _Wait(sent, "exemplar", metrics, stores.exemplar),
    ]


def _settle(waits: Sequence[_Wait], timeout: float) -> None:
    def ask_all() -> bool:
        for wait in waits:
            wait.ask()
        return any(wait.open for wait in waits)

    Retrying(
        retry=retry_if_result(bool),
        wait=wait_fixed(POLL_SECONDS),
        stop=stop_after_delay(timeout),
        retry_error_callback=lambda _: True,
    )(ask_all)
