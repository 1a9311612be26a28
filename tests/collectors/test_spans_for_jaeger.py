"""Jaeger's store refuses spans with too much in them for ever, so collectors leave no such span as it is."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

import pytest

from components.values.documents import Document
from tests.collectors.conftest import RunCollector
from tests.support.waiting import until

MOST_ENTRIES = 104_857
"""What Badger takes at once, an entry for each attribute: 15% of its table of 64 MiB, by 96 bytes."""

LONGEST = 65_000
"""Longest name and value together."""

NUMBERS = {"arrayValue": {"values": [{"intValue": str(number)} for number in range(120_000)]}}
FEWER = {"arrayValue": {"values": NUMBERS["arrayValue"]["values"][:15_000]}}
CASES: list[tuple[list[tuple[str, Any]], set[str]]] = [
    ([("first", "a"), ("numbers", NUMBERS), ("error.type", "timeout")], {"error.type", "attributes.text"}),
    ([("error.type", NUMBERS)], {"attributes.text"}),
    ([("numbers", FEWER), ("last", "b")], {"numbers.0", "numbers.9999", "last"}),
    ([*((f"name-{n}", "v") for n in range(120_000)), ("error.type", "timeout")], {"name-0", "error.type"}),
    ([("statement", "x" * 3_000_000), ("error.type", "timeout")], {"statement", "error.type"}),
]


def attribute(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value} if isinstance(value, str) else value}


def with_attributes(attributes: list[dict[str, Any]], *, on: str) -> dict[str, Any]:
    """Describe a span with attributes of its resource, of itself or of its event."""
    at = str(time.time_ns())
    of = {name: attributes if name == on else [] for name in ("resource", "span", "event")}
    span = {
        "traceId": secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": "query",
        "startTimeUnixNano": at,
        "endTimeUnixNano": at,
        "attributes": of["span"],
        "events": [{"timeUnixNano": at, "name": "exception", "attributes": of["event"]}],
    }
    return {
        "resourceSpans": [{"resource": {"attributes": of["resource"]}, "scopeSpans": [{"spans": [span]}]}]
    }


def lengths(attributes: list[Mapping[str, Any]]) -> dict[str, int]:
    """Give the bytes of each attribute, by its name; what is no list is written as it is."""
    assert not any("arrayValue" in one["value"] for one in attributes)
    return {one["key"]: len(one["key"]) + len(str(next(iter(one["value"].values())))) for one in attributes}


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("attributes", "kept"), CASES, ids=["numbers", "named", "fewer", "many", "text"])
def test_jaeger_takes_what_is_left_of_a_large_span(
    run_collector: RunCollector, attributes: list[tuple[str, Any]], kept: set[str]
) -> None:
    for_jaeger = Document.read("otel-processor/processor.yaml").get("processors", "transform/jaeger")
    collector = run_collector({"transform/jaeger": for_jaeger})
    collector.send(with_attributes([attribute(*one) for one in attributes], on="span"))
    until("the span is written", collector.spans, seconds=30)
    (span,) = collector.spans()
    found = lengths(span["attributes"])
    assert kept <= found.keys()
    assert len(found) < MOST_ENTRIES / 4
    assert max(found.values()) < LONGEST
    assert "failed to execute statement" not in collector.log.read_text()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("on", ["resource", "event"])
def test_so_it_is_with_what_is_around_a_span(run_collector: RunCollector, on: str) -> None:
    for_jaeger = Document.read("otel-processor/processor.yaml").get("processors", "transform/jaeger")
    collector = run_collector({"transform/jaeger": for_jaeger})
    name = {"resource": "service.name", "event": "exception.type"}[on]
    collector.send(with_attributes([attribute("numbers", NUMBERS), attribute(name, "shop")], on=on))
    until("the span is written", collector.spans, seconds=30)
    (resource,) = collector.resources()
    (span,) = collector.spans()
    found = {"resource": resource, "event": span["events"][0]}[on]["attributes"]
    assert lengths(found).keys() == {name, "attributes.text"}
