"""One record of a topic, exactly as it was written."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone

from ops.errors import OpsError
from ops.kafka.offsets import end_offsets
from ops.kafka.tools import Tools

READ_MILLISECONDS = 15_000
"""Time for the first record to arrive; if nothing has arrived by then, there is none."""

_NAME = re.compile(r"(?P<topic>[\w.-]+)/(?P<partition>\d+)/(?P<offset>\d+)")


class NoRecordError(OpsError):
    """Kafka answers, but has no such record."""


@dataclass(frozen=True, kw_only=True, order=True)
class Position:
    """Where a record is.

    Attributes:
        topic: its topic.
        partition: the topic's partition.
        offset: number of the record in the partition.
    """

    topic: str
    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read ``topic/partition/offset``.

        Raises:
            OpsError: it is not of that form.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            advice = "write it as `ops deadletters list` does: topic/partition/offset, otlp-logs/2/84"
            raise OpsError(f"{text!r} names no record", advice, status=2)
        return cls(topic=match["topic"], partition=int(match["partition"]), offset=int(match["offset"]))

    def __str__(self) -> str:
        """Name the record as ``parse`` reads it."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record as Kafka stores it.

    Attributes:
        position: where.
        time: when it was written, by the clock of its writer or of the broker.
        key: None when it has none.
        value: its bytes.
    """

    position: Position
    time: datetime
    key: bytes | None
    value: bytes


def read_record(tools: Tools, position: Position) -> Record:
    """Read a record with Kafka's console consumer, whose formatter writes key and value byte by byte.

    Parts are separated by a mark made for this one call. The offset is read back: in place of a record that
    is gone, the consumer gives another.

    Raises:
        NoRecordError: there is no such record.
        OpsError: Kafka does not answer.
    """
    mark, null = uuid.uuid4().hex, uuid.uuid4().hex
    shown = ["print.timestamp=true", "print.offset=true", "print.key=true", "print.headers=false"]
    layout = [f"key.separator={mark}", f"null.literal={null}", "line.separator="]
    output = tools.run(
        "kafka-console-consumer",
        *("--topic", position.topic, "--partition", str(position.partition)),
        *("--offset", str(position.offset), "--max-messages", "1", "--timeout-ms", str(READ_MILLISECONDS)),
        *(part for setting in [*shown, *layout] for part in ("--formatter-property", setting)),
    )
    parts = output.split(mark.encode(), 3)
    if len(parts) != 4 or parts[1] != f"Offset:{position.offset}".encode():
        raise _absent(tools, position)
    absent = null.encode()
    return Record(
        position=position,
        time=read_time(parts[0]),
        key=None if parts[2] == absent else parts[2],
        value=b"" if parts[3] == absent else parts[3],
    )


def _absent(tools: Tools, position: Position) -> NoRecordError:
    """Say why there was no record to read; the consumer itself only waits and gives up."""
    partition, missing = (position.topic, position.partition), f"there is no record {position}"
    oldest = end_offsets(tools, "earliest").get(partition)
    if oldest is None:
        return NoRecordError(f"{missing}: no such partition", "ops topics shows the topics")
    if position.offset < oldest:
        return NoRecordError(f"{missing}: retention has deleted all before {oldest}")
    return NoRecordError(missing, "ops lag shows where each partition ends")


def read_time(printed: bytes) -> datetime:
    """Read ``CreateTime:1795470922908``, milliseconds."""
    milliseconds = int(printed.rsplit(b":", 1)[1])
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
