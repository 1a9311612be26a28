"""Offsets at the ends of partitions."""

from __future__ import annotations

from typing import Literal

from ops.kafka.tools import Tools

Partition = tuple[str, int]
"""Topic and number."""


def end_offsets(tools: Tools, end: Literal["earliest", "latest"], topic: str = "") -> dict[Partition, int]:
    """Offset of the oldest record that is kept, or the one that the next record will get.

    Args:
        tools: Kafka's tools.
        end: which end.
        topic: only this topic; all when empty.

    Raises:
        OpsError: Kafka does not answer.
    """
    chosen = ["--topic", topic] if topic else []
    return read_offsets(tools.run("kafka-get-offsets", "--time", end, *chosen))


def read_offsets(output: bytes) -> dict[Partition, int]:
    """Read lines of ``topic:partition:offset``; a partition without a leader has none."""
    found: dict[Partition, int] = {}
    for line in output.decode(errors="replace").splitlines():
        topic, *numbers = line.strip().rsplit(":", 2)
        if len(numbers) == 2 and all(number.isdigit() for number in numbers):
            found[topic, int(numbers[0])] = int(numbers[1])
    return found
