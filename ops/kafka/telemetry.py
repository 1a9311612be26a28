"""What is inside a record: OTLP, when it can be read at all."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from components.kafka.topics import SAMPLED, TOPICS
from ops.errors import OpsError

SIGNAL_OF = {**{topic: signal for signal, topic in TOPICS.items()}, SAMPLED: "traces"}
"""Topic -> what its records are. Traces that tail sampling kept have a topic of their own."""

REQUESTS: Mapping[str, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
"""Signal -> what its records hold."""

_ITEMS = {"spans", "metrics", "logRecords"}
_IDS = {"traceId", "spanId", "parentSpanId"}
_LINE = 16


@dataclass(frozen=True, kw_only=True)
class Content:
    """A record's content.

    Attributes:
        decoded: OTLP as JSON; None when it is not OTLP.
        items: spans, metrics or log records in it.
        problem: why it cannot be decoded; empty when it can.
    """

    decoded: dict[str, Any] | None
    items: int
    problem: str


def signal_of(topic: str) -> str:
    """Tell which signal a topic carries.

    Raises:
        OpsError: it is none of the stack's.
    """
    if topic not in SIGNAL_OF:
        raise OpsError(f"{topic} carries no telemetry", f"allowed: {', '.join(SIGNAL_OF)}", status=2)
    return SIGNAL_OF[topic]


def decode(signal: str, value: bytes) -> Content:
    """Read a record's value as OTLP of a signal."""
    message = REQUESTS[signal]()
    try:
        message.ParseFromString(value)
    except DecodeError as error:
        return Content(decoded=None, items=0, problem=f"not OTLP {signal}: {error}")
    decoded = _with_hex_ids(MessageToDict(message))
    return Content(decoded=decoded, items=sum(_items(decoded)), problem="")


def _with_hex_ids(node: Any) -> Any:
    """Write ids as OTLP does, in hex; protobuf's own JSON has base64."""
    if isinstance(node, dict):
        return {
            name: base64.b64decode(child).hex() if name in _IDS else _with_hex_ids(child)
            for name, child in node.items()
        }
    return [_with_hex_ids(child) for child in node] if isinstance(node, list) else node


def _items(node: Any) -> Iterator[int]:
    if isinstance(node, dict):
        for name, child in node.items():
            if name in _ITEMS and isinstance(child, list):
                yield len(child)
            else:
                yield from _items(child)
    elif isinstance(node, list):
        for child in node:
            yield from _items(child)


def hexdump(value: bytes) -> str:
    """Show bytes as offset, hex digits and text, sixteen a line."""
    lines = []
    for start in range(0, len(value), _LINE):
        part = value[start : start + _LINE]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<{3 * _LINE}} |{text}|")
    return "\n".join(lines)
