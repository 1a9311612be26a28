"""Requests to load a gateway with: made once, then only numbers in them change, so sending costs little."""

from __future__ import annotations

import itertools
import random
import struct
import time
from collections.abc import Callable, Mapping, Sequence
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

RECORDS = 512
"""Records of one request: what SDKs send at once, by default."""
SPANS = 4
WRONG_EACH, SLOW_EACH = 100, 100
"""One trace in this many has an error, and one is slow."""

_NUMBER = struct.Struct("<Q")
_ROUTES = ("/cart", "/checkout", "/products/{id}", "/search", "/orders/{id}/items", "/login", "/health")
_METHODS = ("GET", "POST", "PUT")


@dataclass(kw_only=True)
class Template:
    """A serialised request and the places in it that differ from call to call.

    Attributes:
        signal: what it carries.
        body: the request.
        times: place of each time, and nanoseconds to add to now.
        identities: places of each trace's id.
    """

    signal: str
    body: bytearray
    times: Sequence[tuple[int, int]]
    identities: Sequence[Sequence[int]] = ()
    _first: int = field(default_factory=lambda: random.getrandbits(56))
    _counter: itertools.count[int] = field(default_factory=itertools.count)

    def next(self) -> bytes:
        """Give the next request, with present times and traces that never existed before."""
        now, body = time.time_ns(), self.body
        for place, offset in self.times:
            _NUMBER.pack_into(body, place, now + offset)
        for places in self.identities:
            number = self._first * 2**64 + next(self._counter)
            identity = number.to_bytes(16, "big")
            for place in places:
                body[place : place + 16] = identity
        return bytes(body)


def template(signal: str, sender: str) -> Template:
    """Make the template of one sender; senders never write the same series or stream line twice."""
    chance = random.Random(sender)  # noqa: S311 - content, no secret
    return _TEMPLATES[signal](sender, chance)


def _logs(sender: str, chance: random.Random) -> Template:
    marks = _Marks(chance)
    records = [
        LogRecord(
            time_unix_nano=(stamp := marks.time(index)),
            observed_time_unix_nano=stamp,
            severity_text=chance.choice(("INFO", "INFO", "INFO", "WARN", "ERROR")),
            body=AnyValue(
                string_value=f"{chance.choice(_METHODS)} {chance.choice(_ROUTES)} done in "
                f"{chance.randrange(2000)} ms for customer {chance.getrandbits(48):012x}, "
                f"{chance.randrange(40)} rows, sender {sender}"
            ),
            attributes=_attributes({"http.route": chance.choice(_ROUTES), "thread.id": index % 32}),
        )
        for index in range(RECORDS)
    ]
    request = ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=_resource(sender), scope_logs=[ScopeLogs(log_records=records)])]
    )
    return marks.template("logs", request.SerializeToString())


def _metrics(sender: str, chance: random.Random) -> Template:
    marks = _Marks(chance)
    stamp = marks.time(0)
    metrics = [
        Metric(
            name=f"bench_queue_length_{number}",
            unit="1",
            gauge=Gauge(
                data_points=[
                    NumberDataPoint(
                        time_unix_nano=stamp,
                        as_double=chance.random() * 1000,
                        attributes=_attributes(
                            {"http.route": chance.choice(_ROUTES), "instance": index, "sender": sender}
                        ),
                    )
                    for index in range(RECORDS // 8)
                ]
            ),
        )
        for number in range(8)
    ]
    scope = ResourceMetrics(resource=_resource(sender), scope_metrics=[ScopeMetrics(metrics=metrics)])
    request = ExportMetricsServiceRequest(resource_metrics=[scope])
    return marks.template("metrics", request.SerializeToString())


def _traces(sender: str, chance: random.Random) -> Template:
    marks = _Marks(chance)
    spans = [span for number in range(RECORDS // SPANS) for span in _trace(number, marks, chance)]
    request = ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=_resource(sender), scope_spans=[ScopeSpans(spans=spans)])]
    )
    return marks.template("traces", request.SerializeToString())


def _trace(number: int, marks: _Marks, chance: random.Random) -> list[Span]:
    identity, slow = marks.identity(), number % SLOW_EACH == 1
    ids = [chance.randbytes(8) for _ in range(SPANS)]
    start = marks.time(-3_000_000_000 + number)
    end = marks.time(-3_000_000_000 + (1_500_000_000 if slow else 50_000_000) + number)
    return [
        Span(
            trace_id=identity,
            span_id=ids[index],
            parent_span_id=b"" if index == 0 else ids[0],
            name=f"{chance.choice(_METHODS)} {chance.choice(_ROUTES)}",
            kind=Span.SPAN_KIND_SERVER if index == 0 else Span.SPAN_KIND_CLIENT,
            start_time_unix_nano=start,
            end_time_unix_nano=end,
            status=Status(
                code=Status.STATUS_CODE_ERROR
                if number % WRONG_EACH == 0 and index == SPANS - 1
                else Status.STATUS_CODE_UNSET
            ),
            attributes=_attributes(
                {
                    "http.request.method": chance.choice(_METHODS),
                    "http.route": chance.choice(_ROUTES),
                    "http.response.status_code": 200,
                    "server.address": f"10.1.{chance.randrange(16)}.{chance.randrange(256)}",
                    "thread.id": chance.randrange(64),
                }
            ),
        )
        for index in range(SPANS)
    ]


class _Marks:
    """Hands out values that can be found again in the serialised request."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._times: dict[bytes, int] = {}
        self._identities: list[bytes] = []

    def time(self, offset: int) -> int:
        mark = self._chance.getrandbits(63)
        self._times[_NUMBER.pack(mark)] = offset
        return mark

    def identity(self) -> bytes:
        self._identities.append(self._chance.randbytes(16))
        return self._identities[-1]

    def template(self, signal: str, body: bytes) -> Template:
        times = [(place, offset) for mark, offset in self._times.items() for place in _places(body, mark)]
        identities = [_places(body, mark) for mark in self._identities]
        return Template(signal=signal, body=bytearray(body), times=times, identities=identities)


def _places(body: bytes, mark: bytes) -> list[int]:
    found, place = [], body.find(mark)
    while place >= 0:
        found.append(place)
        place = body.find(mark, place + 1)
    return found


def _resource(sender: str) -> Resource:
    return Resource(
        attributes=_attributes(
            {
                "service.name": f"shop-{sender}",
                "service.version": "1.42.0",
                "host.name": f"node-{sender}",
                "telemetry.sdk.language": "python",
            }
        )
    )


def _attributes(values: Mapping[str, str | int]) -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value),
        )
        for key, value in values.items()
    ]


_TEMPLATES: Mapping[str, Callable[[str, random.Random], Template]] = {
    "logs": _logs,
    "metrics": _metrics,
    "traces": _traces,
}
