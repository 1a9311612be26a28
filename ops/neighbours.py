"""Other stacks of the same backend where this one would be: on its Docker Engine, Kafka, in its buckets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from components.buckets.names import bucket_names
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.sections.storage import INSIDE
from components.settings import Settings
from components.settings.fixed import BUCKET_STASHES, CONTEXT, ENDPOINT
from components.settings.fixed import PROVIDER as STORAGE_PROVIDER
from ops.errors import OpsError
from ops.inventory import aws_buckets, stashed, take_inventory
from ops.project import load_stack
from ops.session import Session

PROVIDER = "pulumi:providers:docker"
AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")

Service = tuple[str, ...]
"""An S3 service: all of AWS is one, and a name inside a cluster is another one in each cluster."""


def refuse_neighbours(session: Session) -> None:
    """Refuse to bring a stack up where another one of the same backend has its data.

    Raises:
        OpsError: another one has, or the engine does not tell.
    """
    settings = session.stack.settings
    if settings.phase >= WITH_KAFKA and settings.kafka.mode == "external":
        _refuse_shared_kafka(session)
    if settings.phase < ON_KUBERNETES:
        _refuse_shared_engine(session)
    elif settings.phase >= ON_OBJECT_STORAGE or settings.buckets_wait:
        _refuse_shared_buckets(session)


def _refuse_shared_engine(session: Session) -> None:
    """Refuse an engine with another stack's volumes: they would share names, and ``destroy`` deletes them.

    In a backend that several machines share, a local socket is on each of them another engine.
    """
    stack = session.stack
    if session.state.home is None and stack.docker_host.startswith("unix://"):
        return
    for name, found in _others(session):
        volumes = take_inventory(found).data_volumes
        if volumes and _host(found) == stack.docker_host:
            raise OpsError(
                f"the stack {name} has its data on the same Docker Engine, {stack.docker_host}, in volumes "
                f"with the names that {stack.name} would use: {', '.join(volumes)}",
                f"make destroy STACK={name} first, or give {stack.name} an engine of its own: docker.host in "
                "its file",
            )


def _refuse_shared_kafka(session: Session) -> None:
    """Refuse another stack's cluster: topics and groups have the same names in every stack."""
    stack = session.stack
    for name in _other_names(session):
        shared = sorted({*stack.settings.kafka.bootstrap_servers} & _external_kafka(name, stack.root))
        if shared and session.pulumi.exported(name):
            raise OpsError(
                f"the stack {name} has its data in the same Kafka, {', '.join(shared)}: {name} and "
                f"{stack.name} would share out each other's records, and a copy of one would never end",
                f"give {stack.name} a cluster of its own: kafka.bootstrapServers in {stack.file.name}",
            )


def _external_kafka(name: str, root: Path) -> set[str]:
    """Return the brokers in another stack's file; none where that is not here, or is of no use."""
    try:
        settings = load_stack(name, root).settings
    except OpsError:
        return set()
    external = settings.phase >= WITH_KAFKA and settings.kafka.mode == "external"
    return {*settings.kafka.bootstrap_servers} if external else set()


def _refuse_shared_buckets(session: Session) -> None:
    """Refuse another stack's buckets: the compactors of both would delete at the shorter retention."""
    stack, settings = session.stack, session.stack.settings
    service = _service_of(settings)
    wanted = bucket_names(settings.object_storage, settings.environment).values()
    for name, found in _others(session):
        taken = _buckets(found)
        shared = [bucket for bucket in wanted if (service, bucket) in taken]
        if shared:
            raise OpsError(
                f"the stack {name} has its data at the same S3 service, {service[0]}, in buckets that "
                f"{stack.name} would use: {', '.join(shared)}; two stacks in one bucket delete each other's "
                "data",
                f"set another objectStorage.bucketPrefix, or other names in objectStorage.buckets, in "
                f"{stack.file.name}; if both have stored there already, docs/operations.md, Switching Kafka, "
                "namespace, database or buckets, says how one of them moves",
            )


def _others(session: Session) -> Iterable[tuple[str, list[Mapping[str, Any]]]]:
    """Give the other stacks of the backend with the resources in their states."""
    return ((name, session.pulumi.exported(name)) for name in _other_names(session))


def _other_names(session: Session) -> list[str]:
    return [name for name in session.pulumi.names() if name != session.stack.name]


def _host(resources: Iterable[Mapping[str, Any]]) -> str | None:
    return next((one["inputs"].get("host") for one in resources if one.get("type") == PROVIDER), None)


def _service_of(settings: Settings) -> Service:
    storage = settings.object_storage
    return _service(storage.provider, storage.s3.endpoint, settings.kubernetes.context)


def _buckets(resources: Iterable[Mapping[str, Any]]) -> set[tuple[Service, str]]:
    """Give service and name of each bucket that a stack remembers or that the engine knows as its own."""
    found = list(resources)
    known = stashed(found)
    service = _service(known.get(STORAGE_PROVIDER), known.get(ENDPOINT), known.get(CONTEXT))
    stored = {(service, known[stash]) for stash in BUCKET_STASHES.values() if stash in known}
    return stored | {(_service("aws"), bucket) for bucket in aws_buckets(found)}


def _service(provider: str | None, endpoint: str | None = None, context: str | None = None) -> Service:
    host = (endpoint or "").split(":")[0]
    if provider == "aws" or host.endswith(AWS_HOSTS):
        return ("aws",)
    return (endpoint or "", context or "") if host.endswith(INSIDE) else (endpoint or "",)
