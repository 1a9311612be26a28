"""Numbers that Kafka's topics keep from the day they are made, whoever runs the brokers."""

from __future__ import annotations

import pulumi

OTHER_PARTITIONS = (
    "With any other number of partitions the spans of one trace would reach two processors, which then "
    "sample it in halves."
)
OTHER_BROKERS = (
    "Topics keep the number of copies that they were made with, and with another number of brokers would ask "
    "for more copies than there are, or stay without the new ones."
)


def fix_partitions(name: str, partitions: int, *, parent: pulumi.Resource) -> None:
    """Remember the partitions of the traces topic, and refuse any other number from then on."""
    _fix(f"{name}-traces-partitions", "partitions", partitions, OTHER_PARTITIONS, parent)


def fix_brokers(name: str, brokers: int, *, parent: pulumi.Resource) -> None:
    """Remember the number of brokers, and refuse any other from then on."""
    _fix(f"{name}-brokers", "brokers", brokers, OTHER_BROKERS, parent)


def _fix(stash: str, key: str, wanted: int, why: str, parent: pulumi.Resource) -> None:
    made_with = pulumi.Stash(stash, input=wanted, opts=pulumi.ResourceOptions(parent=parent))
    made_with.output.apply(lambda first: _refuse_change(key, int(first), wanted, why))


def _refuse_change(key: str, first: int, wanted: int, why: str) -> None:
    if first != wanted:
        reason = f"kafka.{key}: {wanted}: this stack was made with {first}. {why} Set kafka.{key}: {first}"
        pulumi.log.error(f"{reason}; docs/phases.md says how to move to another number.")
        raise pulumi.RunError(f"{reason}.")
