"""The topics of the stack, whoever creates them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.sections.kafka import KafkaSection
from components.sizing.buffer import SEGMENT, BufferSize, segment_age
from components.values.quantities import Duration, Size, days, gibibytes

SAMPLED = "otlp-traces-sampled"
"""What tail sampling keeps, on its way to the store."""

TOPICS: Mapping[str, str] = {"traces": "otlp-traces", "metrics": "otlp-metrics", "logs": "otlp-logs"}

SOURCES: Mapping[str, str] = {**TOPICS, "sampled": SAMPLED}
"""What processors may read: name in receivers and consumer groups -> topic."""

DEAD_LETTERS = "otlp-dead-letters"
DEAD_LETTER_RETENTION = days(14)
DEAD_LETTERS_SIZE = gibibytes(1)
"""Size at which the oldest letters are deleted before that age; each may hold 64 KiB of a store's answer."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic.

    Attributes:
        name: its name.
        partitions: number of its partitions.
        replicas: copies of each.
        settings: its configuration.
    """

    name: str
    partitions: int
    replicas: int
    settings: Mapping[str, int]

    def as_line(self) -> str:
        """Describe it as ``topics.sh`` reads it: name, partitions, settings."""
        settings = ",".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.name} {self.partitions} {settings}"

    def as_resource(self) -> Mapping[str, Any]:
        """Describe it as the spec of Strimzi's KafkaTopic."""
        return {"partitions": self.partitions, "replicas": self.replicas, "config": dict(self.settings)}


def topics(size: BufferSize, kafka: KafkaSection, largest_message: Size) -> list[Topic]:
    """Return every topic of the stack.

    An external Kafka has its own number of copies, so how many of them must have a record is its own choice;
    and its own disks, so the size of its files is too.
    """

    def files(retention: Duration) -> Mapping[str, int]:
        if kafka.mode == "external":
            return {}
        return {"segment.bytes": SEGMENT.bytes, "segment.ms": segment_age(retention).seconds * 1000}

    in_sync = kafka.min_in_sync_replicas if kafka.mode == "external" else size.in_sync
    shared = {
        **({} if in_sync is None else {"min.insync.replicas": in_sync}),
        "max.message.bytes": largest_message.bytes,
    }
    kept = {
        "retention.ms": kafka.retention.seconds * 1000,
        "retention.bytes": size.partition_size.bytes,
        **files(kafka.retention),
    }
    dead = {
        "retention.ms": DEAD_LETTER_RETENTION.seconds * 1000,
        "retention.bytes": DEAD_LETTERS_SIZE.bytes,
        **files(DEAD_LETTER_RETENTION),
    }
    signals = [
        Topic(name=name, partitions=size.partitions, replicas=size.replicas, settings={**shared, **kept})
        for name in SOURCES.values()
    ]
    return [
        *signals,
        Topic(name=DEAD_LETTERS, partitions=1, replicas=size.replicas, settings={**shared, **dead}),
    ]
