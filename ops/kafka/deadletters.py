"""What the processors could not deliver, as they report it in the dead-letter topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from google.protobuf.json_format import Parse, ParseError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from components.kafka.topics import DEAD_LETTERS
from ops.kafka.offsets import end_offsets
from ops.kafka.records import READ_MILLISECONDS, Position
from ops.kafka.tools import Tools

_ERRORS = ("exception.message", "error", "message")
"""Attributes that hold the reason, as the collector's releases spell it; the last is a store's own."""

_DROPPED = ("dropped_data_points", "dropped_log_records", "dropped_spans")
"""Attributes of a letter about a request that a store accepted in part: how much of it was dropped."""


_POSITION = {"topic", "partition", "offset"}


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """What a processor says about a record that it passed over, or a request that a store accepted in part.

    Attributes:
        time: when.
        position: the record, which stays in its topic until retention deletes it; none for what a store
            dropped from a request, which comes from many records.
        error: why; empty when the letter does not say, and the processor's log has it.
        dropped: points, records or spans that a store dropped.
    """

    time: datetime
    position: Position | None
    error: str
    dropped: int = 0

    def as_dict(self) -> dict[str, object]:
        """The form for machines."""
        record = None if self.position is None else str(self.position)
        return {
            "time": self.time.isoformat(),
            "record": record,
            "error": self.error,
            "dropped": self.dropped,
        }


@dataclass(frozen=True, kw_only=True)
class Letters:
    """The newest letters.

    Attributes:
        newest: the oldest of them first.
        total: letters that the topic has. At least: one of its records holds several letters when they were
            written within a second, and the older ones are counted without reading them.
        unreadable: lines and log records among the newest that are no letters and were left out.
    """

    newest: list[DeadLetter]
    total: int
    unreadable: int = 0

    def because(self, reason: str) -> list[DeadLetter]:
        """Those of the newest whose error contains this text, ignoring case; all for no text."""
        return [one for one in self.newest if reason.casefold() in one.error.casefold()]

    @property
    def cut(self) -> str:
        """What to say when there are more; empty when these are all."""
        if len(self.newest) >= self.total:
            return ""
        return f"{len(self.newest):,} of {self.total:,} or more; --last {self.total} for more"

    @property
    def ignored(self) -> str:
        """What to say of what is no letter; empty when all of them are."""
        if not self.unreadable:
            return ""
        return (
            f"left out of {DEAD_LETTERS}: {self.unreadable:,} that cannot be read as dead letters; "
            "only processors should write to this topic, find out what else does"
        )


def read_dead_letters(tools: Tools, limit: int) -> Letters:
    """Read the last ``limit`` letters of the dead-letter topic.

    Raises:
        OpsError: Kafka does not answer, or there is no such topic.
    """
    earliest = end_offsets(tools, "earliest", DEAD_LETTERS)
    letters: list[DeadLetter] = []
    older = unreadable = 0
    for (topic, partition), end in end_offsets(tools, "latest", DEAD_LETTERS).items():
        oldest = earliest.get((topic, partition), 0)
        start = max(oldest, end - limit)
        older += start - oldest
        if start < end:
            output = tools.run(
                "kafka-console-consumer",
                *("--topic", topic, "--partition", str(partition), "--offset", str(start)),
                *("--max-messages", str(end - start), "--timeout-ms", str(READ_MILLISECONDS)),
            )
            found, skipped = parse_letters(output.decode(errors="replace"))
            letters += found
            unreadable += skipped
    newest = sorted(letters, key=lambda letter: (letter.time, str(letter.position)))[-limit:]
    return Letters(newest=newest, total=len(letters) + older, unreadable=unreadable)


def parse_letters(output: str) -> tuple[list[DeadLetter], int]:
    """Read OTLP logs in JSON, one request per line; what is not a letter is ignored.

    Returns:
        The letters, and how many lines are no OTLP logs or log records no letter though they look like one.
    """
    found = [one for line in output.split("\n") if line.strip() for one in _letters(line)]
    letters = [one for one in found if one is not None]
    return letters, len(found) - len(letters)


def _letters(line: str) -> Iterator[DeadLetter | None]:
    """Give a line's letters, and None for each that cannot be read."""
    request = ExportLogsServiceRequest()
    try:
        Parse(line, request, ignore_unknown_fields=True)
    except ParseError:
        yield None
        return
    if not line.lstrip().startswith("{"):  # Parse accepts an empty list, and any text in quotes
        yield None
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                attributes = {one.key: _scalar(one.value) for one in record.attributes}
                if attributes.keys() >= _POSITION or attributes.keys() & set(_DROPPED):
                    yield _letter(record, attributes)


def _letter(record: LogRecord, attributes: Mapping[str, str]) -> DeadLetter | None:
    nanoseconds = record.time_unix_nano or record.observed_time_unix_nano
    try:
        position = _position(attributes)
        dropped = sum(int(attributes.get(name, 0)) for name in _DROPPED)
    except ValueError:
        return None
    return DeadLetter(
        time=datetime.fromtimestamp(nanoseconds // 1_000_000 / 1000, timezone.utc),
        position=position,
        error=next((attributes[name] for name in _ERRORS if attributes.get(name)), ""),
        dropped=dropped,
    )


def _position(attributes: Mapping[str, str]) -> Position | None:
    if not attributes.keys() >= _POSITION:
        return None
    return Position(
        topic=attributes["topic"],
        partition=int(attributes["partition"]),
        offset=int(attributes["offset"]),
    )


def _scalar(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    return "" if kind is None else str(getattr(value, kind))
