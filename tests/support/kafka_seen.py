"""A stack's Kafka as drills see it: what is in its topics, and how far they have been read."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator

from ops.kafka.tools import command
from tests.support.drilled import Stores

DEAD_LETTERS = "otlp-dead-letters"


def _groups(site: Stores) -> Iterator[list[str]]:
    """Columns of each partition of a signal's topic as its consumer group has it."""
    listing = site.run("kafka-topics", *command("kafka-consumer-groups", "--describe", "--all-groups"))
    for line in listing.splitlines():
        columns = line.split()
        if len(columns) > 5 and columns[1].startswith("otlp-"):
            yield columns


def lag_of(site: Stores) -> Counter[str]:
    """Records of each topic that its consumer group has not marked as done."""
    lag: Counter[str] = Counter()
    for _, topic, _, read, end, *_ in _groups(site):
        lag[topic] += int(end) - (int(read) if read != "-" else 0)
    return lag


def readers_of(site: Stores) -> dict[str, dict[str, set[str]]]:
    """Addresses from which each topic is read, by consumer group; an empty one: nobody reads a partition."""
    found: dict[str, dict[str, set[str]]] = {}
    for columns in _groups(site):
        host = columns[7] if len(columns) > 7 else "-"
        groups = found.setdefault(columns[1], {})
        groups.setdefault(columns[0], set()).add(host.strip("/-"))
    return found


def leader_of(site: Stores) -> str:
    """Name the broker that leads the most partitions of the stack's topics."""
    described = site.run("kafka-topics", *command("kafka-topics", "--describe"))
    leads = Counter(re.findall(r"Topic: otlp-\S+\s+Partition: \d+\s+Leader: (\d+)", described))
    return f"kafka-{leads.most_common(1)[0][0]}"


def behind(site: Stores) -> str:
    """Describe the partitions that have a copy out of sync."""
    asked = command("kafka-topics", "--describe", "--under-replicated-partitions")
    return site.run("kafka-topics", *asked).strip()


def end_offset(site: Stores, topic: str) -> int:
    """Count the records that a topic has ever had."""
    listing = site.run("kafka-topics", *command("kafka-get-offsets", "--topic", topic))
    return sum(int(line.rsplit(":", 1)[1]) for line in listing.split() if line.startswith(f"{topic}:"))


def dead_letters(site: Stores, first: int) -> list[str]:
    """Give the dead letters from an offset on."""
    count = end_offset(site, DEAD_LETTERS) - first
    if count <= 0:
        return []
    place = ("--topic", DEAD_LETTERS, "--partition", "0", "--offset", str(first))
    bounds = ("--max-messages", str(count), "--timeout-ms", "20000")
    text = site.run("kafka-topics", *command("kafka-console-consumer", *place, *bounds))
    return [line for line in text.splitlines() if line.startswith("{")]


def produce(site: Stores, topic: str, text: str, *, copies: int = 1) -> None:
    """Write identical records of plain text into a topic."""
    producer = shlex.join(command("kafka-console-producer", "--topic", topic))
    site.run("kafka-topics", "bash", "-c", f"for _ in $(seq {copies}); do echo '{text}'; done | {producer}")
