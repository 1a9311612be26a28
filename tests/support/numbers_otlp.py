"""Counters as OTLP in JSON, as applications send them."""

from __future__ import annotations

from typing import Any

DELTA, CUMULATIVE = 1, 2


def resource(service: str) -> dict[str, Any]:
    """Describe the sender."""
    return {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}


def metrics_of(service: str, metric: dict[str, Any]) -> dict[str, Any]:
    """Make a request with one metric of a service."""
    return {"resourceMetrics": [{"resource": resource(service), "scopeMetrics": [{"metrics": [metric]}]}]}


def sum_of(
    value: int, *, since: float, at: float, service: str = "shop", cumulative: bool = False
) -> dict[str, Any]:
    """Make a request with the counter ``orders.made`` of a service.

    A delta has been counted between the two times, in seconds since 1970.
    """
    point = {
        "asInt": str(value),
        "startTimeUnixNano": str(int(since * 1e9)),
        "timeUnixNano": str(int(at * 1e9)),
    }
    temporality = CUMULATIVE if cumulative else DELTA
    total = {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": [point]}
    return metrics_of(service, {"name": "orders.made", "unit": "1", "sum": total})
