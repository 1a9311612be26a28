"""Kafka's state for people."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ops.kafka.deadletters import DeadLetter
from ops.kafka.lag import PartitionLag
from ops.kafka.records import Record
from ops.kafka.replay import Replayed
from ops.kafka.telemetry import Content, hexdump
from ops.kafka.topics import Topic
from ops.screen import MARKS, print_text, table
from ops.units import amount

TIME = "%Y-%m-%d %H:%M:%S"
_HOUR_MS = 3_600_000


def lags(found: Sequence[PartitionLag], *, age: bool) -> Table:
    """One line per partition; marked when records have no reader, were lost, or are unknown."""
    columns = (
        "",
        "group",
        "topic",
        "partition",
        "read to",
        "end",
        "unread",
        *(["oldest"] if age else []),
        "reader",
    )
    rows: list[tuple[str | Text, ...]] = [
        (
            MARKS["ok" if one.good else "fail"],
            one.group,
            one.topic,
            str(one.partition),
            "-" if one.committed is None else str(one.committed),
            "no leader" if one.end is None else str(one.end),
            f"{one.lag:,}{_lost(one)}",
            *(["-" if one.age_seconds is None else f"{one.age_seconds:,.0f} s"] if age else []),
            one.reader[: -len("-00000000-0000-0000-0000-000000000000")] or one.reader or "nobody",
        )
        for one in found
    ]
    return table(columns, rows)


def _lost(lag: PartitionLag) -> str:
    """Say which records the group no longer finds, and how."""
    if lag.beyond:
        return ", end lost: runbook KafkaBrokerUnreachable"
    return f", {lag.deleted:,} deleted unread" if lag.deleted else ""


def topics(found: Sequence[Topic]) -> Table:
    """One line per topic; marked when copies are missing."""
    rows: list[tuple[str | Text, ...]] = [
        (
            MARKS["ok" if one.whole else "fail"],
            one.name,
            str(one.partitions),
            f"{one.in_sync} of {one.replicas}",
            str(one.under_replicated),
            str(one.unavailable),
            _kept(one),
            "-" if one.size is None else amount(one.size),
        )
        for one in found
    ]
    columns = ("", "topic", "partitions", "in sync", "under-replicated", "unavailable", "retention", "size")
    return table(columns, rows)


def _kept(topic: Topic) -> str:
    """Up to which age and, for each partition, which size a topic keeps its records."""
    age = "default" if topic.retention_ms is None else f"{topic.retention_ms / _HOUR_MS:g} h"
    return age if topic.retention_bytes is None else f"{age}, {amount(topic.retention_bytes)}"


def letters(found: Sequence[DeadLetter]) -> Table:
    """One line per letter."""
    rows = [
        (
            f"{one.time:{TIME}}",
            f"{one.dropped} dropped by a store" if one.position is None else str(one.position),
            one.error or "see the processors' logs of that time",
        )
        for one in found
    ]
    return table(("time (UTC)", "record", "error"), rows)


def record(found: Record, content: Content) -> None:
    """Print where a record is, its bytes, and what they say."""
    print_text(f"record  {found.position}")
    print_text(f"time    {found.time:{TIME}} UTC")
    print_text(f"key     {'none' if found.key is None else found.key.decode(errors='backslashreplace')}")
    print_text(f"value   {len(found.value):,} bytes")
    print_text(hexdump(found.value))
    if content.problem:
        print_text(content.problem)
    else:
        print_text(json.dumps(content.decoded, indent=2, ensure_ascii=False))


def replayed(outcomes: Sequence[Replayed]) -> Table:
    """One line per record."""
    rows: list[tuple[str | Text, ...]] = [
        (MARKS["ok" if one.good else "fail"], one.record, one.outcome, one.detail) for one in outcomes
    ]
    return table(("", "record", "outcome", "detail"), rows)
