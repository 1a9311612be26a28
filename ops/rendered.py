"""Numbers that rendered manifests give Kafka, and that stay from the day a stack is first applied.

``up`` remembers them in the stack's state. That of a rendering is thrown away, so they are held against the
rendering before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from components.kafka_fixed import FixedNumber, why_refused
from components.kafka_strimzi import POOL
from components.sizing_buffer import TOPICS
from ops.errors import OpsError

_KAFKA = "kafka"
_KINDS = ("Deployment", "StatefulSet", "KafkaNodePool", "KafkaTopic")

Fixed = Mapping[tuple[str, FixedNumber], int]
"""By the kind of the object that has a number, and the setting that it is of.

Kafka run in another way is another Kafka, made anew, and has numbers of its own.
"""


def refuse_other_numbers(former: Path, wanted: Path) -> None:
    """Refuse manifests that change what ``up`` would not let change.

    Args:
        former: folder of the manifests that are to be replaced; it need not be there.
        wanted: folder of those that are to take their place.

    Raises:
        OpsError: a number is another one, or the former manifests are not YAML.
    """
    first, now = fixed_numbers(former), fixed_numbers(wanted)
    reasons = [why_refused(key[1], number, now.get(key, number)) for key, number in first.items()]
    refused = [f"{reason}." for reason in reasons if reason is not None]
    if refused:
        raise OpsError(
            f"nothing was written: {' '.join(refused)}",
            "docs/gitops.md says how to move to another number; if these manifests were never applied, "
            "render with --new (make: NEW=1)",
        )


def fixed_numbers(manifests: Path) -> Fixed:
    """Give the numbers of a folder of manifests.

    Raises:
        OpsError: one of them is not YAML.
    """
    return dict(number for path in sorted(manifests.rglob("*.yaml")) for number in _of_file(path))


def _of_file(path: Path) -> Iterator[tuple[tuple[str, FixedNumber], int]]:
    text = path.read_text(encoding="utf-8")
    if not any(f"kind: {kind}\n" in text for kind in _KINDS):
        return
    try:
        objects = [one for one in yaml.safe_load_all(text) if one]
    except yaml.YAMLError as error:
        raise OpsError(
            f"{path} is not YAML, so what Kafka's topics were made with cannot be told",
            "bring it back as Git has it (git checkout), then render again",
        ) from error
    for one in objects:
        yield from _of_object(one["kind"], one["metadata"]["name"], one.get("spec") or {})


def _of_object(
    kind: str, name: str, spec: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, FixedNumber], int]]:
    if (kind, name) in (("StatefulSet", _KAFKA), ("KafkaNodePool", POOL)):
        yield (kind, "brokers"), int(spec["replicas"])
    elif (kind, name) == ("KafkaTopic", TOPICS["traces"]):
        yield (kind, "partitions"), int(spec["partitions"])
    elif (kind, name) == ("Deployment", f"{_KAFKA}-topics"):
        yield from (((kind, "partitions"), number) for number in _partitions_made(spec))


def _partitions_made(spec: Mapping[str, Any]) -> Iterator[int]:
    """Read the traces topic's line of what ``topics.sh`` is to make."""
    for container in spec["template"]["spec"]["containers"]:
        for variable in container.get("env", []):
            if variable["name"] == "TOPICS":
                lines = [line.split() for line in variable["value"].splitlines()]
                yield from (int(line[1]) for line in lines if line[:1] == [TOPICS["traces"]])
