"""Steady load of numbered logs, metrics and traces, with the fate of every record.

A record is *acknowledged* when its call was answered OK without partial success. A call that fails with an
error that OTLP calls retryable is sent again with the same content, as an SDK does, until it is answered.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tests.support.otlp import SERVICES, Call, Request, Tls, calls

PAUSE_SECONDS = 0.5
ANSWER_SECONDS = 120.0
"""How long calls in flight may take to be answered once nothing more is sent."""
WORKERS = 3
SPANS = 4
BATCH = {"logs": 20, "metrics": 20, "traces": 5}
METRIC = "drill_sequence"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Records per second of each signal; a trace counts as one."""

    logs: int = 200
    metrics: int = 200
    traces: int = 25


@dataclass(kw_only=True)
class Tally:
    """What became of the records of one signal.

    Attributes:
        acknowledged: numbers of the records that were answered OK, with the time of the answer.
        apart: how many seconds earlier the first part of each was acknowledged, for those sent in parts.
        refused: number -> error, for those answered with an error that is not to be retried.
        retried: calls that failed with a retryable error, by its code.
    """

    acknowledged: dict[int, float] = field(default_factory=dict)
    apart: dict[int, float] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    retried: Counter[str] = field(default_factory=Counter)


@dataclass(kw_only=True)
class Load:
    """Load on one OTLP address.

    Attributes:
        run: distinguishes its records from those of other runs.
        target: ``host:port`` of OTLP over gRPC, or ``http://host:port``.
        second_target: where the second half of every trace goes, if that is another address.
        tls: how the server proves who it is, if it encrypts.
        started: when, in seconds since the epoch.
        tallies: what became of the records, by signal.
    """

    run: str
    target: str
    second_target: str = ""
    tls: Tls | None = None
    rates: Rates = field(default_factory=Rates)
    started: float = field(default_factory=time.time)
    tallies: dict[str, Tally] = field(default_factory=lambda: {signal: Tally() for signal in SERVICES})

    @property
    def service(self) -> str:
        """Value of ``service.name`` of all its records."""
        return f"drill-{self.run}"

    def acknowledged(self, signal: str) -> int:
        """Count the records of a signal that have been answered OK so far."""
        return len(self.tallies[signal].acknowledged)


def kind_of(number: int) -> str:
    """Tell what kind a numbered trace is: one in ten has an error, one in ten is slow."""
    return {0: "error", 5: "slow"}.get(number % 10, "plain")


def trace_id(run: str, number: int) -> bytes:
    """Give the id of a numbered trace."""
    return hashlib.sha256(f"{run}/{number}".encode()).digest()[:16]


@contextmanager
def running(load: Load) -> Iterator[Load]:
    """Send load until the block ends; then wait until every call in flight is answered."""
    stop, given_up = threading.Event(), threading.Event()
    errors: list[BaseException] = []
    workers = [
        threading.Thread(target=_work, args=(load, signal, worker, stop, given_up, errors), daemon=True)
        for signal in SERVICES
        if getattr(load.rates, signal)
        for worker in range(WORKERS)
    ]
    for thread in workers:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        end = time.monotonic() + ANSWER_SECONDS
        for thread in workers:
            thread.join(timeout=max(0.0, end - time.monotonic()))
        given_up.set()
    assert not errors, errors
    late = f"calls in flight were not answered within {ANSWER_SECONDS:.0f} s"
    assert not any(thread.is_alive() for thread in workers), late


def _work(
    load: Load,
    signal: str,
    worker: int,
    stop: threading.Event,
    given_up: threading.Event,
    errors: list[BaseException],
) -> None:
    tally, size = load.tallies[signal], BATCH[signal]
    pause = size * WORKERS / getattr(load.rates, signal)
    numbers = itertools.count(worker, WORKERS)
    try:
        with ExitStack() as connections:
            targets = [load.target, load.second_target or load.target]
            senders = [connections.enter_context(calls(target, signal, load.tls)) for target in targets]
            while not stop.is_set():
                batch = list(itertools.islice(numbers, size))
                error, times = "", list[float]()
                for request, call in zip(_REQUESTS[signal](load, worker, batch), senders, strict=False):
                    error = error or _deliver(call, request, tally, given_up)
                    times.append(time.time())
                if error:
                    tally.refused.update(dict.fromkeys(batch, error))
                else:
                    tally.acknowledged.update(dict.fromkeys(batch, times[-1]))
                    tally.apart.update(dict.fromkeys(batch, times[-1] - times[0]))
                stop.wait(pause)
    except BaseException as failure:  # noqa: BLE001 - reported to the thread that waits for this one
        errors.append(failure)


def _deliver(call: Call, request: Request, tally: Tally, given_up: threading.Event) -> str:
    """Send until it is answered or given up; give the error if it is not accepted, else nothing."""
    while (answer := call(request)).retryable:
        tally.retried[answer.code] += 1
        if given_up.wait(PAUSE_SECONDS):
            break
    return answer.error


def _attributes(**values: str | int) -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value),
        )
        for key, value in values.items()
    ]


def _resource(load: Load, command: str = "") -> Resource:
    described = {"process.command_line": command} if command else {}
    return Resource(attributes=_attributes(**{"service.name": load.service, **described}))


def logs_request(
    load: Load,
    worker: int,
    numbers: Sequence[int],
    *,
    padding: str = "",
    command: str = "",
    at_seconds: float | None = None,
) -> list[Request]:
    """Log records whose line is their number and the padding, from a process that a command started."""
    now = time.time_ns() if at_seconds is None else int(at_seconds * 1e9)
    records = [
        LogRecord(
            time_unix_nano=now + index,
            observed_time_unix_nano=now + index,
            severity_text="INFO",
            body=AnyValue(string_value=f"{number} worker {worker} {padding}".rstrip()),
        )
        for index, number in enumerate(numbers)
    ]
    resource, scope = _resource(load, command), ScopeLogs(log_records=records)
    return [ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource, scope_logs=[scope])])]


def metrics_request(
    load: Load, worker: int, numbers: Sequence[int], *, at_seconds: float | None = None
) -> list[Request]:
    """Samples whose value is their number, each at a millisecond of its own."""
    return [_samples(load, worker, numbers, at_seconds or time.time())]


def _samples(
    load: Load, worker: int, numbers: Sequence[int], at_seconds: float
) -> ExportMetricsServiceRequest:
    now = int(at_seconds * 1000)
    points = [
        NumberDataPoint(
            time_unix_nano=(now + index) * 1_000_000,
            as_int=number,
            attributes=_attributes(worker=str(worker)),
        )
        for index, number in enumerate(numbers)
    ]
    scope = ScopeMetrics(metrics=[Metric(name=METRIC, gauge=Gauge(data_points=points))])
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=_resource(load), scope_metrics=[scope])]
    )


def mixed_metrics_request(load: Load, numbers: Sequence[int]) -> Request:
    """Present samples and, in the same request, some of other services that no store accepts.

    Those are eight days old, an hour ahead, or of a counter that does not say if it is a sum or a difference.
    """
    now, day, hour = time.time(), 86400, 3600
    others = [
        _samples(Load(run=f"{load.run}-{name}", target=load.target), 0, [1], at)
        for name, at in (("old", now - 8 * day), ("ahead", now + hour), ("counter", now))
    ]
    metric = others[-1].resource_metrics[0].scope_metrics[0].metrics[0]
    points = list(metric.gauge.data_points)
    metric.ClearField("gauge")
    metric.sum.data_points.extend(points)
    mixed = ExportMetricsServiceRequest()
    for one in (others[0], _samples(load, 0, numbers, now), *others[1:]):
        mixed.resource_metrics.extend(one.resource_metrics)
    return mixed


def _traces_requests(load: Load, _worker: int, numbers: Sequence[int]) -> list[Request]:
    """Two requests, each with half of every trace; HAProxy gives one to each gateway.

    An error shows only in the second half, slowness only in both halves together.
    """
    now = time.time_ns() - 3_000_000_000
    halves: list[list[Span]] = [[], []]
    for number in numbers:
        for index, span in enumerate(_spans(load, number, now)):
            halves[index // (SPANS // 2)].append(span)
    return [_spans_request(load, half) for half in halves]


def large_span_request(load: Load, number: int, padding: str) -> Request:
    """One span with an error, which is its whole trace and carries the padding."""
    span = _spans(load, number, time.time_ns() - 3_000_000_000)[-1]
    span.parent_span_id = b""
    span.name = "error"
    span.status.code = Status.STATUS_CODE_ERROR
    span.attributes.extend(_attributes(padding=padding))
    return _spans_request(load, [span])


def _spans_request(load: Load, spans: Sequence[Span]) -> Request:
    scope = ScopeSpans(spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=_resource(load), scope_spans=[scope])]
    )


_KINDS = {0: Span.SPAN_KIND_SERVER, 1: Span.SPAN_KIND_CLIENT, SPANS - 1: Span.SPAN_KIND_CONSUMER}
"""Dashboards tell apart who is called and who calls."""


def _spans(load: Load, number: int, start: int) -> list[Span]:
    identity, kind = trace_id(load.run, number), kind_of(number)
    ids = [hashlib.sha256(identity + bytes([index])).digest()[:8] for index in range(SPANS)]
    return [
        Span(
            trace_id=identity,
            span_id=ids[index],
            parent_span_id=b"" if index == 0 else ids[0],
            name=kind,
            kind=_KINDS.get(index, Span.SPAN_KIND_INTERNAL),
            start_time_unix_nano=start + (1_500_000_000 if kind == "slow" and index >= SPANS // 2 else 0),
            end_time_unix_nano=start
            + (1_550_000_000 if kind == "slow" and index >= SPANS // 2 else 50_000_000),
            status=Status(
                code=Status.STATUS_CODE_ERROR
                if kind == "error" and index == SPANS - 1
                else Status.STATUS_CODE_OK
            ),
            attributes=[KeyValue(key="drill.number", value=AnyValue(int_value=number))],
        )
        for index in range(SPANS)
    ]


_REQUESTS: dict[str, Callable[[Load, int, Sequence[int]], list[Request]]] = {
    "logs": logs_request,
    "metrics": metrics_request,
    "traces": _traces_requests,
}
