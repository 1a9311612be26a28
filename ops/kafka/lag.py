"""What the processors have not read yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from ops.errors import OpsError
from ops.kafka.offsets import Partition, end_offsets
from ops.kafka.records import NoRecordError, Position, read_record
from ops.kafka.tools import Tools


@dataclass(frozen=True, kw_only=True)
class PartitionLag:
    """How far one consumer group is in one partition.

    Attributes:
        group: the consumer group.
        topic: its topic.
        partition: number of the partition.
        committed: offset of the next record to read; None when the group has not read anything there yet.
        end: offset that the next record written will get; None when the partition has no leader to say so.
        lag: records that are there but not yet read.
        deleted: records that retention deleted before the group, which had begun, read them.
        beyond: how far ``committed`` is beyond ``end``: a broker that was the only copy has lost the records
            at the partition's end.
        reader: member of the group that reads it; empty when nobody does.
        age_seconds: age of the oldest unread record; None when not asked for, when nothing is unread, or when
            retention has deleted that record meanwhile.
    """

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int | None
    lag: int
    deleted: int
    beyond: int
    reader: str
    age_seconds: float | None = None

    @property
    def stuck(self) -> bool:
        """Records wait, and nobody reads them."""
        return self.lag > 0 and not self.reader

    @property
    def good(self) -> bool:
        """Nothing is stuck or unknown, and nothing was lost."""
        return self.end is not None and not self.stuck and not self.deleted and not self.beyond

    @property
    def first_unread(self) -> Position | None:
        """The oldest record that is there but not yet read; None when there is none, or none is known."""
        if self.end is None or not self.lag:
            return None
        return Position(topic=self.topic, partition=self.partition, offset=self.end - self.lag)

    def as_dict(self) -> dict[str, object]:
        """The form for machines."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Lag:
    """What Kafka says about some consumer groups.

    Attributes:
        partitions: by group and partition.
        silent: topics that it says nothing about: they are not there, this user may not see them, or no
            partition has a leader.
    """

    partitions: list[PartitionLag]
    silent: list[str]

    @property
    def good(self) -> bool:
        """Everything is known and read, and nothing was lost."""
        return not self.silent and all(one.good for one in self.partitions)


def read_lag(tools: Tools, groups: Mapping[str, str]) -> Lag:
    """Ask Kafka how far these consumer groups are; others are left out.

    Kafka does not know a group that never joined: it is listed with what its topic holds.

    Args:
        tools: Kafka's tools.
        groups: consumer group -> its topic.

    Raises:
        OpsError: Kafka does not answer.
    """
    output = tools.run("kafka-consumer-groups", "--describe", "--all-groups").decode(errors="replace")
    refuse_errors(output, tools.advice)
    rows = [row for row in table_rows(output) if row["GROUP"] in groups]
    earliest, latest = end_offsets(tools, "earliest"), end_offsets(tools, "latest")
    known = [_lag(row, earliest) for row in rows]
    described = {(row["GROUP"], row["TOPIC"], int(row["PARTITION"])) for row in rows}
    unknown = [
        _partition_lag(group, (topic, partition), None, end, earliest)
        for group, topic in groups.items()
        for (name, partition), end in latest.items()
        if name == topic and (group, topic, partition) not in described
    ]
    found = [*known, *(one for one in unknown if one.lag)]
    told = {topic for topic, _ in latest} | {one.topic for one in known}
    return Lag(
        partitions=sorted(found, key=lambda one: (one.group, one.topic, one.partition)),
        silent=sorted(set(groups.values()) - told),
    )


def refuse_errors(output: str, advice: str) -> None:
    """Find the failures that ``kafka-consumer-groups`` reports on standard output, with exit status 0.

    Raises:
        OpsError: there is one.
    """
    told = next((line for line in output.splitlines() if line.startswith("Error: ")), "")
    if told:
        raise OpsError(f"kafka-consumer-groups: {told.removeprefix('Error: ')}", advice)


def table_rows(output: str) -> Iterator[dict[str, str]]:
    """Read the tables of ``kafka-consumer-groups --describe``; other lines are messages and are ignored."""
    columns: list[str] = []
    for line in output.splitlines():
        cells = line.split()
        if cells[:1] == ["GROUP"]:
            columns = cells
        elif columns and len(cells) == len(columns) and cells[columns.index("PARTITION")].isdigit():
            yield dict(zip(columns, cells, strict=True))


def _lag(row: Mapping[str, str], earliest: Mapping[Partition, int]) -> PartitionLag:
    member = row.get("CONSUMER-ID", "-")
    return _partition_lag(
        row["GROUP"],
        (row["TOPIC"], int(row["PARTITION"])),
        None if row["CURRENT-OFFSET"] == "-" else int(row["CURRENT-OFFSET"]),
        None if row["LOG-END-OFFSET"] == "-" else int(row["LOG-END-OFFSET"]),
        earliest,
        reader="" if member == "-" else member,
    )


def _partition_lag(
    group: str,
    partition: Partition,
    committed: int | None,
    end: int | None,
    earliest: Mapping[Partition, int],
    reader: str = "",
) -> PartitionLag:
    oldest = earliest.get(partition, (end or 0) if committed is None else committed)
    return PartitionLag(
        group=group,
        topic=partition[0],
        partition=partition[1],
        committed=committed,
        end=end,
        lag=0 if end is None else max(0, end - max(oldest, committed or 0)),
        deleted=0 if committed is None else max(0, oldest - committed),
        beyond=0 if committed is None or end is None else max(0, committed - end),
        reader=reader,
    )


def with_ages(tools: Tools, lag: Lag, now: datetime) -> Lag:
    """Read the first unread record of each partition that has any, a few seconds each.

    Raises:
        OpsError: Kafka does not answer.
    """
    aged = [replace(one, age_seconds=_age(tools, one.first_unread, now)) for one in lag.partitions]
    return replace(lag, partitions=aged)


def _age(tools: Tools, position: Position | None, now: datetime) -> float | None:
    if position is None:
        return None
    try:
        record = read_record(tools, position)
    except NoRecordError:  # retention has deleted it meanwhile
        return None
    return max(0.0, (now - record.time).total_seconds())
