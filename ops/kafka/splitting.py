"""Makes several requests of one that is larger than the stack accepts.

A record in Kafka may be twice as large as a request: gateways add attributes and put requests together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.message import Message

from ops.errors import OpsError
from ops.kafka.telemetry import REQUESTS

_LEVELS: Mapping[str, Sequence[str]] = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics", "data", "data_points"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
}
"""Where a request can be cut, outermost first."""

_SMALLEST: Mapping[str, str] = {"traces": "span", "metrics": "data point", "logs": "log record"}


class TooLargeError(OpsError):
    """A single item is larger than a request may be."""


def split(signal: str, value: bytes, limit: int) -> list[bytes]:
    """Halve a request until no part is larger than ``limit`` bytes.

    Every part names the resources and scopes of its items, and the order stays. A request within the limit
    stays as it is, byte by byte.

    Raises:
        TooLargeError: a single item is over the limit, with its resource and scope.
    """
    if len(value) <= limit:
        return [value]
    request = REQUESTS[signal]()
    request.ParseFromString(value)
    return [part.SerializeToString() for part in _parts(request, signal, limit)]


def _parts(request: Message, signal: str, limit: int) -> Iterator[Message]:
    size = request.ByteSize()
    if size <= limit:
        yield request
        return
    halves = _halves(request, _LEVELS[signal])
    if not halves:
        raise TooLargeError(
            f"one {_SMALLEST[signal]} takes {size:,} bytes with its resource and scope, more than "
            f"ingest.maxMessageSize ({limit:,})",
            "raise that, make up, then replay",
        )
    for half in halves:
        yield from _parts(half, signal, limit)


def _halves(message: Message, levels: Sequence[str]) -> list[Message]:
    """Cut at the outermost level that has several children; empty if none has."""
    if not levels:
        return []
    level, *below = levels
    children = _children(message, level)
    if len(children) > 1:
        middle = len(children) // 2
        halves = [children[:middle], children[middle:]]
    else:
        halves = [[half] for child in children for half in _halves(child, below)]
    return [_with(message, level, half) for half in halves]


def _children(message: Message, level: str) -> list[Message]:
    """Give what a message has at a level; a metric has its points in one of several fields."""
    if level not in message.DESCRIPTOR.oneofs_by_name:
        return list(getattr(message, level))
    kind = message.WhichOneof(level)
    return [] if kind is None else [getattr(message, kind)]


def _with(message: Message, level: str, children: Sequence[Message]) -> Message:
    """Copy a message with other children."""
    copy = type(message)()
    copy.CopyFrom(message)
    kind = message.WhichOneof(level) if level in message.DESCRIPTOR.oneofs_by_name else None
    if kind is None:
        copy.ClearField(level)
        getattr(copy, level).extend(children)
    else:
        getattr(copy, kind).CopyFrom(children[0])
    return copy
