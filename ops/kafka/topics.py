"""The state of the topics: partitions, copies, retention, size."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ops.errors import OpsError
from ops.kafka.tools import Tools

_FIELD = re.compile(r"(\w+): ?([^\t]*)")

OFFSETS = "__consumer_offsets"
"""Kafka's own topic, in which it keeps how far the groups have read."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic.

    Attributes:
        name: its name.
        partitions: how many it has.
        replicas: copies of each partition.
        in_sync: copies of the partition that has the fewest up to date.
        under_replicated: partitions with fewer up-to-date copies than replicas.
        unavailable: partitions that accept no acknowledged write: no leader, or too few copies up to date.
        retention_ms: age in milliseconds at which records are deleted; None: the broker's default.
        retention_bytes: size of a partition at which the oldest are deleted; None: no limit of its own.
        size: bytes on all brokers together; None when the cluster does not say.
    """

    name: str
    partitions: int
    replicas: int
    in_sync: int
    under_replicated: int
    unavailable: int
    retention_ms: int | None
    retention_bytes: int | None
    size: int | None

    @property
    def whole(self) -> bool:
        """Every partition has all of its copies."""
        return not (self.under_replicated or self.unavailable)

    def as_dict(self) -> dict[str, object]:
        """The form for machines."""
        return asdict(self)


def read_topics(tools: Tools) -> list[Topic]:
    """Ask Kafka for its topics; sizes only where the cluster lets this user see them.

    Raises:
        OpsError: Kafka does not answer.
    """
    described = tools.run("kafka-topics", "--describe").decode(errors="replace")
    try:
        sizes = read_sizes(tools.run("kafka-log-dirs", "--describe").decode(errors="replace"))
    except OpsError:
        sizes = None
    return parse_topics(described, sizes)


def parse_topics(described: str, sizes: Mapping[str, int] | None) -> list[Topic]:
    """Read what ``kafka-topics --describe`` writes: a line for a topic, then one for each partition."""
    topics: dict[str, Mapping[str, str]] = {}
    partitions: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for line in described.splitlines():
        fields = {name: value.strip() for name, value in _FIELD.findall(line)}
        if "PartitionCount" in fields:
            topics[fields["Topic"]] = fields
        elif "Partition" in fields:
            partitions[fields["Topic"]].append(fields)
    return [
        _topic(name, head, partitions[name], None if sizes is None else sizes.get(name, 0))
        for name, head in sorted(topics.items())
    ]


def _topic(name: str, head: Mapping[str, str], rows: list[Mapping[str, str]], size: int | None) -> Topic:
    settings = dict(pair.split("=", 1) for pair in head.get("Configs", "").split(",") if "=" in pair)
    needed = int(settings.get("min.insync.replicas", "1"))
    counts = [
        (_count(row.get("Replicas", "")), _count(row.get("Isr", "")), row.get("Leader")) for row in rows
    ]
    limit = int(settings.get("retention.bytes", "-1"))
    return Topic(
        name=name,
        partitions=int(head["PartitionCount"]),
        replicas=int(head["ReplicationFactor"]),
        in_sync=min((in_sync for _, in_sync, _ in counts), default=0),
        under_replicated=sum(in_sync < copies for copies, in_sync, _ in counts),
        unavailable=sum(in_sync < needed or leader in {"none", "-1"} for _, in_sync, leader in counts),
        retention_ms=int(settings["retention.ms"]) if "retention.ms" in settings else None,
        retention_bytes=limit if limit >= 0 else None,
        size=size,
    )


def _count(brokers: str) -> int:
    return len([broker for broker in brokers.split(",") if broker.strip()])


def read_sizes(output: str) -> dict[str, int]:
    """Sum the sizes that ``kafka-log-dirs --describe`` gives, by topic.

    Raises:
        OpsError: it gave no document.
    """
    document = next((line for line in output.splitlines() if line.startswith("{")), "")
    if not document:
        raise OpsError("kafka-log-dirs gave no sizes")
    sizes: dict[str, int] = defaultdict(int)
    for broker in json.loads(document)["brokers"]:
        for folder in broker["logDirs"]:
            for one in folder["partitions"]:
                sizes[one["partition"].rpartition("-")[0]] += one["size"]
    return dict(sizes)
