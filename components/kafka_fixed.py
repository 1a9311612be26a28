"""Numbers that Kafka's topics keep from the day they are made, whoever runs the brokers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pulumi

FixedNumber = Literal["partitions", "brokers"]
"""Settings of ``kafka`` that cannot be changed: of the traces topic, and of all."""

_REASONS: Mapping[FixedNumber, str] = {
    "partitions": "With any other number of partitions the spans of one trace would reach two processors, "
    "which then sample it in halves.",
    "brokers": "Topics keep the number of copies that they were made with, and with another number of "
    "brokers would ask for more copies than there are, or stay without the new ones.",
}


def fix_partitions(name: str, partitions: int, *, parent: pulumi.Resource) -> None:
    """Remember the partitions of the traces topic, and refuse any other number from then on."""
    _fix(f"{name}-traces-partitions", "partitions", partitions, parent)


def fix_brokers(name: str, brokers: int, *, parent: pulumi.Resource) -> None:
    """Remember the number of brokers, and refuse any other from then on."""
    _fix(f"{name}-brokers", "brokers", brokers, parent)


def why_refused(key: FixedNumber, first: int, wanted: int) -> str | None:
    """Say what is wrong with a number, after the one that a stack was made with; None when it is the same."""
    if first == wanted:
        return None
    made = f"kafka.{key}: {wanted}: this stack was made with {first}."
    return f"{made} {_REASONS[key]} Set kafka.{key}: {first}"


def _fix(stash: str, key: FixedNumber, wanted: int, parent: pulumi.Resource) -> None:
    made_with = pulumi.Stash(stash, input=wanted, opts=pulumi.ResourceOptions(parent=parent))
    made_with.output.apply(lambda first: _refuse_change(key, int(first), wanted))


def _refuse_change(key: FixedNumber, first: int, wanted: int) -> None:
    reason = why_refused(key, first, wanted)
    if reason is not None:
        pulumi.log.error(f"{reason}; docs/phases.md says how to move to another number.")
        raise pulumi.RunError(f"{reason}.")
