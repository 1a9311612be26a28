"""One trace as a store gives it: Jaeger in its own form, Tempo as OTLP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, TracesData

from ops.web import get_json

PROTOBUF = {"accept": "application/protobuf"}


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a store has of a trace.

    Attributes:
        spans: number of its spans.
        parents: ids of the spans, 16 hex digits, under which a service has spans; by service.
    """

    spans: int
    parents: Mapping[str, set[str]]


ReadTrace = Callable[[httpx.Client, str, str], Trace]
"""Ask a store, by its base address, for a trace by its id, 32 hex digits."""


def jaeger_trace(client: httpx.Client, base: str, trace_id: str) -> Trace:
    """Ask Jaeger's query API.

    Raises:
        httpx.HTTPError: no answer, or there is no such trace.
        ValueError: not an answer of Jaeger.
    """
    answer = get_json(client, f"{base}/api/traces/{trace_id}")
    found = answer["data"][0] if answer.get("data") else {"spans": [], "processes": {}}
    services = {process: one["serviceName"] for process, one in found["processes"].items()}
    parents: dict[str, set[str]] = {name: set() for name in services.values()}
    for span in found["spans"]:
        references = span.get("references") or []
        parents[services[span["processID"]]] |= {reference["spanID"] for reference in references}
    return Trace(spans=len(found["spans"]), parents=parents)


def tempo_trace(client: httpx.Client, base: str, trace_id: str) -> Trace:
    """Ask Tempo, whose protobuf form of a trace has the layout of OTLP.

    Raises:
        httpx.HTTPError: no answer, or there is no such trace.
        ValueError: not an answer of Tempo.
    """
    answer = client.get(f"{base}/api/traces/{trace_id}", headers=PROTOBUF)
    answer.raise_for_status()
    found = TracesData()
    try:
        found.ParseFromString(answer.content)
    except DecodeError as error:
        raise ValueError(f"not a trace: {error}") from error
    parents: dict[str, set[str]] = {}
    count = 0
    for resource in found.resource_spans:
        spans = [span for scope in resource.scope_spans for span in scope.spans]
        count += len(spans)
        parents.setdefault(_service(resource), set()).update(span.parent_span_id.hex() for span in spans)
    return Trace(spans=count, parents=parents)


def _service(resource: ResourceSpans) -> str:
    names = (one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
    return next(names, "")


READERS: Mapping[str, ReadTrace] = {"jaeger": jaeger_trace, "tempo": tempo_trace}
"""By uid of the stack's data source for traces, which names the store."""
