"""Telemetry as OTLP in JSON, numbered, so that what comes back can be counted."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from tests.support.numbers_otlp import metrics_of, resource

Body = dict[str, Any]


def trace(trace_id: str, *, age: float = 0) -> Body:
    """Describe a trace, ``age`` seconds old: shop calls stock."""
    now, call = time.time_ns() - int(age * 1e9), secrets.token_hex(8)
    times = {"startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 10_000_000)}
    client = {"traceId": trace_id, "spanId": call, "name": "call", "kind": 3, **times}
    server = {
        "traceId": trace_id,
        "spanId": secrets.token_hex(8),
        "parentSpanId": call,
        "name": "serve",
        "kind": 2,
        **times,
    }
    return {
        "resourceSpans": [
            {"resource": resource(name), "scopeSpans": [{"spans": [span]}]}
            for name, span in (("shop", client), ("stock", server))
        ]
    }


def logs(lines: list[str], *, age: float = 0) -> Body:
    """Describe log records, one a line, ``age`` seconds old."""
    at = str(time.time_ns() - int(age * 1e9))
    records = [{"timeUnixNano": at, "body": {"stringValue": line}} for line in lines]
    return {"resourceLogs": [{"resource": resource("shop"), "scopeLogs": [{"logRecords": records}]}]}


def counter(series: str, value: int, *, age: float = 0, trace_id: str | None = None) -> Body:
    """Describe a counter's value, ``age`` seconds old."""
    at = str(time.time_ns() - int(age * 1e9))
    point: Body = {
        "asInt": str(value),
        "timeUnixNano": at,
        "attributes": [{"key": "series", "value": {"stringValue": series}}],
    }
    if trace_id is not None:
        point["exemplars"] = [
            {"asInt": "1", "timeUnixNano": at, "traceId": trace_id, "spanId": secrets.token_hex(8)}
        ]
    total = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]}
    return metrics_of("shop", {"name": "orders.made", "unit": "1", "sum": total})


def exponential_histogram(counts: Mapping[int, int]) -> Body:
    """Describe how many orders took how long: by n, those between 2**n and 2**(n+1) seconds."""
    first, last = min(counts), max(counts)
    point: Body = {
        "timeUnixNano": str(time.time_ns()),
        "scale": 0,
        "count": str(sum(counts.values())),
        "sum": sum(count * 1.5 * 2.0**power for power, count in counts.items()),
        "positive": {
            "offset": first,
            "bucketCounts": [str(counts.get(power, 0)) for power in range(first, last + 1)],
        },
    }
    histogram = {"aggregationTemporality": 2, "dataPoints": [point]}
    return metrics_of("shop", {"name": "orders.duration", "unit": "s", "exponentialHistogram": histogram})
