"""What a stack has where it runs, from the engine's state: valid in every phase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"
NETWORK = "docker:index/network:Network"
WORKLOADS = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type's name
MEMORY = "pulumi:index:Stash"
STRIMZI = "kubernetes:kafka.strimzi.io/"
"""Prefix of the types of all resources of the Strimzi operator."""

BUCKET = "aws:s3/bucket:Bucket"
REMEMBERED = ("platform", "docker-host", "kafka-brokers")
"""Where the stack remembers where its volumes are, and the number of brokers that they are made for."""

_CONFIG_MARK = "-config-"
_PROBE_MARK = "-ready"


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The parts of a stack that operators deal with.

    Attributes:
        programs: containers that run, or workloads of a cluster, in the order of the state.
        probes: program -> container that checks from outside whether it is ready.
        data_volumes: Docker volumes that hold data; a cluster's claims are not in the state.
        kept_urns: resources that outlive ``down``: the data, the passwords inside it, what it was made for
            (``REMEMBERED``), and Strimzi's resources, which would take Kafka's data along.
        protected_urns: resources that the engine refuses to delete, such as buckets that are to be kept.
        buckets: names of the buckets among them.
    """

    programs: tuple[str, ...]
    probes: Mapping[str, str]
    data_volumes: tuple[str, ...]
    kept_urns: tuple[str, ...]
    protected_urns: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()


def take_inventory(resources: Iterable[Mapping[str, Any]]) -> Inventory:
    """Read the resources of an exported state."""
    found = list(resources)
    running = [_name(one) for one in found if _is(one, CONTAINER) and _inputs(one).get("start", True)]
    probes = {name.removesuffix(_PROBE_MARK): name for name in running if name.endswith(_PROBE_MARK)}
    volumes = [one for one in found if _is(one, VOLUME) and _CONFIG_MARK not in _name(one)]
    workloads = [_name(one) for kind in WORKLOADS for one in found if _is(one, kind)]
    passwords = [one for one in found if _is(one, PASSWORD)]
    remembered = [one for one in found if _is(one, MEMORY) and _name(one) in REMEMBERED]
    strimzi = [one for one in found if str(one.get("type")).startswith(STRIMZI) and not one.get("delete")]
    protected = [one for one in found if one.get("protect") and not one.get("delete")]
    return Inventory(
        programs=(*(name for name in running if name not in probes.values()), *sorted(workloads)),
        probes=probes,
        data_volumes=tuple(_name(one) for one in volumes),
        kept_urns=tuple(str(one["urn"]) for one in [*volumes, *passwords, *remembered, *strimzi]),
        protected_urns=tuple(str(one["urn"]) for one in protected),
        buckets=tuple(aws_buckets(protected)),
    )


def stashed(resources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Give what the stack remembers, by name, of the resources of an exported state."""
    found = [one for one in resources if _is(one, MEMORY)]
    return {_name(one): (one.get("outputs") or {}).get("output") for one in found}


def aws_buckets(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the buckets that the engine has made on AWS."""
    return [str(_inputs(one)["bucket"]) for one in resources if _is(one, BUCKET)]


def _is(resource: Mapping[str, Any], kind: str) -> bool:
    return resource.get("type") == kind and not resource.get("delete")


def _inputs(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    inputs: Mapping[str, Any] = resource.get("inputs") or {}
    return inputs


def _name(resource: Mapping[str, Any]) -> str:
    inputs = _inputs(resource)
    named = inputs.get("name") or (inputs.get("metadata") or {}).get("name")
    return str(named or str(resource["urn"]).rsplit("::", maxsplit=1)[-1])
