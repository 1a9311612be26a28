"""Numbered records as OTLP requests: ordinary ones, and some that stores cut or refuse."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence

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

from tests.support.numbered import METRIC, SPANS, Load, kind_of, trace_id
from tests.support.otlp import Request


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


REQUESTS: dict[str, Callable[[Load, int, Sequence[int]], list[Request]]] = {
    "logs": logs_request,
    "metrics": metrics_request,
    "traces": _traces_requests,
}
"""Signal -> what makes requests of a worker's next numbers."""
