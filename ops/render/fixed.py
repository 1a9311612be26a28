"""What rendered manifests say about where a stack's data is, which is fixed once they are first applied.

``up`` remembers it in the stack's state. A rendering's state is thrown away, so manifests are compared with
those of the previous rendering.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from components.kafka.topics import TOPICS
from components.kafka_strimzi import POOL
from components.postgres_store import NAME as POSTGRES
from components.settings.fixed import FixedKey, FixedValue, why_refused
from ops.errors import OpsError

_KAFKA, _GATEWAY, _TEMPO = "kafka", "otel-gateway", "tempo"
_NAMES: Mapping[str, FixedKey] = {
    "POSTGRES_DB": "postgres.database",
    "POSTGRES_USER": "postgres.username",
}
_KINDS = ("Namespace", "Deployment", "StatefulSet", "KafkaNodePool", "KafkaTopic")

Fixed = Mapping[FixedKey, FixedValue]
"""By setting; what the manifests lack is left out."""


def refuse_other_places(former: Path, wanted: Path) -> None:
    """Refuse manifests that change what ``up`` would not let change.

    Args:
        former: folder of the manifests that are to be replaced; it need not exist.
        wanted: folder of those that are to replace them.

    Raises:
        OpsError: something is fixed and differs, or the former manifests are not YAML.
    """
    first, now = fixed_values(former), fixed_values(wanted)
    reasons = [why_refused(key, value, now.get(key, value)) for key, value in first.items()]
    refused = [f"{reason}." for reason in reasons if reason is not None]
    if refused:
        raise OpsError(
            f"nothing was written: {' '.join(refused)}",
            "docs/gitops.md, What cannot be changed, has the steps; if these manifests were never applied, "
            "render with --new (make: NEW=1)",
        )


def fixed_values(manifests: Path) -> Fixed:
    """Give what is fixed in a folder of manifests.

    Raises:
        OpsError: one of them is not YAML.
    """
    objects = [one for path in sorted(manifests.rglob("*.yaml")) for one in _of_file(path)]
    return {**dict(_places(objects)), **dict(value for one in objects for value in _values(one))}


def _of_file(path: Path) -> list[Mapping[str, Any]]:
    text = path.read_text(encoding="utf-8")
    if not any(f"kind: {kind}\n" in text for kind in _KINDS):
        return []
    try:
        return [one for one in yaml.safe_load_all(text) if one]
    except yaml.YAMLError as error:
        raise OpsError(
            f"{path} is not YAML, so where the stack keeps its data is not known",
            "restore it from Git (git checkout), then render again",
        ) from error


def _places(objects: Iterable[Mapping[str, Any]]) -> Iterator[tuple[FixedKey, FixedValue]]:
    """Read from the objects how Kafka and Grafana's database are run; those that others run have none."""
    found = {(one["kind"], one["metadata"]["name"]) for one in objects}
    yield from (("kubernetes.namespace", name) for kind, name in found if kind == "Namespace")
    if ("KafkaNodePool", POOL) in found:
        yield "kafka.mode", "strimzi"
    elif ("Deployment", _GATEWAY) in found:
        yield "kafka.mode", "builtin" if ("StatefulSet", _KAFKA) in found else "external"
    if ("StatefulSet", _TEMPO) in found:
        yield "postgres.mode", "builtin" if ("StatefulSet", POSTGRES) in found else "external"


def _values(one: Mapping[str, Any]) -> Iterator[tuple[FixedKey, FixedValue]]:
    kind, name, spec = one["kind"], one["metadata"]["name"], one.get("spec") or {}
    if (kind, name) in (("StatefulSet", _KAFKA), ("KafkaNodePool", POOL)):
        yield "kafka.brokers", int(spec["replicas"])
    elif (kind, name) == ("KafkaTopic", TOPICS["traces"]):
        yield "kafka.partitions", int(spec["partitions"])
    elif (kind, name) == ("Deployment", f"{_KAFKA}-topics"):
        yield from (("kafka.partitions", number) for number in _partitions_made(spec))
    elif (kind, name) == ("StatefulSet", POSTGRES):
        yield from ((_NAMES[key], value) for key, value in _variables(spec) if key in _NAMES)


def _partitions_made(spec: Mapping[str, Any]) -> Iterator[int]:
    """Read the traces topic's line of what ``topics.sh`` is to create; a name alone is somebody else's."""
    for key, value in _variables(spec):
        if key == "TOPICS":
            lines = [line.split() for line in value.splitlines()]
            yield from (int(line[1]) for line in lines if line[:1] == [TOPICS["traces"]] and line[1:])


def _variables(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the environment of a workload's containers, except what is only referred to."""
    for container in spec["template"]["spec"]["containers"]:
        for variable in container.get("env", []):
            if "value" in variable:
                yield variable["name"], variable["value"]
