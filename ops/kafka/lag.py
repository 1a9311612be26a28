"""What the processors have not read yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from ops.errors import OpsError
from ops.kafka.offsets import Partition, end_offsets
from ops.kafka.records import Position, read_record
from ops.kafka.tools import Tools


@dataclass(frozen=True, kw_only=True)
class PartitionLag:
    """How far one consumer group is in one partition.

    Attributes:
        group: the consumer group.
        topic: its topic.
        partition: number of the partition.
        committed: offset of the next record to read; None when the group has not read anything there yet.
        end: offset that the next record written will get.
        lag: records that are not read yet.
        reader: member of the group that reads it; empty when nobody does.
        age_seconds: age of the oldest unread record; None when not asked for or nothing is unread.
    """

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int
    reader: str
    age_seconds: float | None = None

    @property
    def stuck(self) -> bool:
        """Records wait, and nobody reads them."""
        return self.lag > 0 and not self.reader

    def as_dict(self) -> dict[str, object]:
        """The form for machines."""
        return asdict(self)


def read_lag(tools: Tools) -> list[PartitionLag]:
    """Ask Kafka how far every consumer group is.

    Raises:
        OpsError: Kafka does not answer.
    """
    output = tools.run("kafka-consumer-groups", "--describe", "--all-groups").decode(errors="replace")
    refuse_errors(output, tools.advice)
    rows = list(table_rows(output))
    new = any(row["CURRENT-OFFSET"] == "-" and row["LOG-END-OFFSET"] not in {"0", "-"} for row in rows)
    earliest = end_offsets(tools, "earliest") if new else {}
    return sorted(
        (_lag(row, earliest) for row in rows if row["LOG-END-OFFSET"] != "-"),
        key=lambda one: (one.group, one.topic, one.partition),
    )


def refuse_errors(output: str, advice: str) -> None:
    """Find the failures that ``kafka-consumer-groups`` tells on standard output, with exit status 0.

    Raises:
        OpsError: there is one.
    """
    told = next((line for line in output.splitlines() if line.startswith("Error: ")), "")
    if told:
        raise OpsError(f"kafka-consumer-groups: {told.removeprefix('Error: ')}", advice)


def table_rows(output: str) -> Iterator[dict[str, str]]:
    """Read the tables of ``kafka-consumer-groups --describe``; other lines are messages and are passed by."""
    columns: list[str] = []
    for line in output.splitlines():
        cells = line.split()
        if cells[:1] == ["GROUP"]:
            columns = cells
        elif columns and len(cells) == len(columns) and cells[columns.index("PARTITION")].isdigit():
            yield dict(zip(columns, cells, strict=True))


def _lag(row: Mapping[str, str], earliest: Mapping[Partition, int]) -> PartitionLag:
    topic, partition, end = row["TOPIC"], int(row["PARTITION"]), int(row["LOG-END-OFFSET"])
    committed = None if row["CURRENT-OFFSET"] == "-" else int(row["CURRENT-OFFSET"])
    first = earliest.get((topic, partition), end) if committed is None else committed
    member = row.get("CONSUMER-ID", "-")
    return PartitionLag(
        group=row["GROUP"],
        topic=topic,
        partition=partition,
        committed=committed,
        end=end,
        lag=max(0, end - first),
        reader="" if member == "-" else member,
    )


def with_ages(tools: Tools, lags: list[PartitionLag], now: datetime) -> list[PartitionLag]:
    """Read the first unread record of each partition that has any, some seconds each.

    Raises:
        OpsError: Kafka does not answer, or the record is gone by retention meanwhile.
    """
    return [replace(one, age_seconds=_age(tools, one, now)) if one.lag else one for one in lags]


def _age(tools: Tools, lag: PartitionLag, now: datetime) -> float:
    position = Position(topic=lag.topic, partition=lag.partition, offset=lag.end - lag.lag)
    return max(0.0, (now - read_record(tools, position).time).total_seconds())
