"""Settings that a stack keeps from its first day, because its data is where, or as, they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pulumi

from components.buckets.names import bucket_names
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.sections.postgres import PostgresSection
from components.sections.storage import ObjectStorageSection
from components.settings.load import Settings

FixedKey = Literal[
    "phase",
    "docker.host",
    "kafka.partitions",
    "kafka.brokers",
    "kafka.mode",
    "kubernetes.context",
    "kubernetes.namespace",
    "postgres.mode",
    "postgres.database",
    "postgres.username",
    "objectStorage.provider",
    "objectStorage.aws.region",
    "objectStorage.s3.endpoint",
    "objectStorage.buckets.traces",
    "objectStorage.buckets.metrics",
    "objectStorage.buckets.ruler",
    "objectStorage.buckets.alertmanager",
    "objectStorage.buckets.logs",
    "objectStorage.buckets.backups",
]
"""The settings; the partitions are those of the traces topic."""

FixedValue = int | str

BUCKET_KEYS: Mapping[str, FixedKey] = {
    "traces": "objectStorage.buckets.traces",
    "metrics": "objectStorage.buckets.metrics",
    "ruler": "objectStorage.buckets.ruler",
    "alertmanager": "objectStorage.buckets.alertmanager",
    "logs": "objectStorage.buckets.logs",
    "backups": "objectStorage.buckets.backups",
}
"""Purpose -> key of its bucket, whose name may also follow from the prefix and the environment."""

CONTEXT, PROVIDER, ENDPOINT = "kubernetes-context", "object-storage-provider", "object-storage-endpoint"
"""Where the stack remembers its cluster, and the service that its buckets are on."""

BUCKET_STASHES: Mapping[str, str] = {purpose: f"bucket-{purpose}" for purpose in BUCKET_KEYS}
"""Purpose -> where the stack remembers its bucket's name."""

_BUCKETS = "Other buckets begin empty, and with onDestroy: delete those on AWS would be emptied and deleted."
_NAMED = "PostgreSQL makes database and user only when its volume is new."
_REASONS: Mapping[FixedKey, str] = {
    "phase": "Docker's volumes cannot move to Kubernetes or back: they would be deleted, with all that is "
    "stored.",
    "docker.host": "All volumes are on that engine, and another one begins empty.",
    "kafka.partitions": "With any other number of partitions the spans of one trace would reach two "
    "processors, which then sample it in halves.",
    "kafka.brokers": "Topics keep the number of copies that they were made with: fewer brokers cannot hold "
    "that many, and more do not add any.",
    "kafka.mode": "That is another Kafka, which begins empty, and what nobody has read in this one would "
    "never be stored.",
    "kubernetes.context": "By it the engine tells clusters apart: under another name, even of the same one, "
    "it would make everything anew, and delete what there is.",
    "kubernetes.namespace": "Claims cannot move, and in another namespace all stores begin empty.",
    "postgres.mode": "That is another database, which knows none of Grafana's users and dashboards.",
    "postgres.database": _NAMED,
    "postgres.username": _NAMED,
    "objectStorage.provider": _BUCKETS,
    "objectStorage.aws.region": _BUCKETS,
    "objectStorage.s3.endpoint": "Another service has other buckets: they begin empty, and what is stored "
    "would vanish from Grafana.",
    **dict.fromkeys(BUCKET_KEYS.values(), _BUCKETS),
}

_NUMBER = "docs/phases.md says how to move to another number."
_PLACE = "docs/operations.md, Switching Kafka, namespace, database or buckets, has the steps."
_DUMP = f"to change it, dump the database, make down, and restore the dump: {_PLACE}"
_COPY = f"to change it, copy the objects: {_PLACE}"
_MOVES: Mapping[FixedKey, str] = {
    "phase": "to change it, make a second stack beside this one and move the applications: "
    "docs/migration-2-to-3.md has the steps.",
    "docker.host": "docs/operations.md, Another Docker Engine, has the steps.",
    "kafka.partitions": _NUMBER,
    "kafka.brokers": _NUMBER,
    "kafka.mode": f"to change it, stop the senders, wait until nothing is unread, make down: {_PLACE}",
    "kubernetes.context": "if it is the same cluster, kubectl config rename-context gives it that name; if "
    f"another, make down first, and its stores begin empty: {_PLACE}",
    "kubernetes.namespace": f"to change it, make down, and move the volumes: {_PLACE}",
    "postgres.mode": _DUMP,
    "postgres.database": _DUMP,
    "postgres.username": _DUMP,
    "objectStorage.provider": _COPY,
    "objectStorage.aws.region": _COPY,
    "objectStorage.s3.endpoint": "if it is the same service under another address, have the stack forget "
    f"the former one; else copy the objects: {_PLACE}",
    **dict.fromkeys(BUCKET_KEYS.values(), _COPY),
}


def fix_partitions(name: str, partitions: int, *, parent: pulumi.Resource) -> None:
    """Remember the partitions of the traces topic, and refuse any other number from then on."""
    _fix(f"{name}-traces-partitions", "kafka.partitions", partitions, parent)


def fix_brokers(name: str, brokers: int, *, parent: pulumi.Resource) -> None:
    """Remember the number of brokers, and refuse any other from then on."""
    _fix(f"{name}-brokers", "kafka.brokers", brokers, parent)


def fix_places(settings: Settings) -> None:
    """Remember where the stack keeps its data, as far as its phase has any, and refuse other places.

    What remembers has no parent, as components differ by these very settings.

    Raises:
        pulumi.RunError: a place is not the one that the stack was made with.
    """
    on_kubernetes = settings.phase >= ON_KUBERNETES
    _fix("platform", "phase", "3 or 4 (Kubernetes)" if on_kubernetes else "1 or 2 (Docker)")
    if not on_kubernetes:
        _fix("docker-host", "docker.host", settings.docker.host)
    if settings.phase >= WITH_KAFKA:
        _fix("kafka-mode", "kafka.mode", settings.kafka.mode)
    if on_kubernetes:
        if settings.kubernetes.render is None and settings.kubernetes.context is not None:
            _fix(CONTEXT, "kubernetes.context", settings.kubernetes.context)
        _fix("kubernetes-namespace", "kubernetes.namespace", settings.kubernetes.namespace)
    if settings.phase >= ON_OBJECT_STORAGE:
        _fix_database(settings.postgres)
        _fix_service(settings.object_storage)


def fix_buckets(storage: ObjectStorageSection, environment: str, made: Mapping[str, pulumi.Resource]) -> None:
    """Remember the buckets' names, and refuse others; a name that could not be made is not remembered.

    Args:
        storage: settings of object storage.
        environment: name of the environment.
        made: by purpose, the buckets that the stack itself makes.

    Raises:
        pulumi.RunError: a bucket is not the one that the stack was made with.
    """
    for purpose, bucket in bucket_names(storage, environment).items():
        after = [made[purpose]] if purpose in made else []
        _fix(BUCKET_STASHES[purpose], BUCKET_KEYS[purpose], bucket, after=after)


def _fix_database(postgres: PostgresSection) -> None:
    _fix("postgres-mode", "postgres.mode", postgres.mode)
    if postgres.mode == "builtin":
        _fix("postgres-database", "postgres.database", postgres.database)
        _fix("postgres-username", "postgres.username", postgres.username)


def _fix_service(storage: ObjectStorageSection) -> None:
    _fix(PROVIDER, "objectStorage.provider", storage.provider)
    if storage.provider == "aws" and storage.aws.region is not None:
        _fix("object-storage-region", "objectStorage.aws.region", storage.aws.region)
    if storage.provider == "s3" and storage.s3.endpoint is not None:
        _fix(ENDPOINT, "objectStorage.s3.endpoint", storage.s3.endpoint)


def why_refused(key: FixedKey, first: FixedValue, wanted: FixedValue) -> str | None:
    """Say why a value is refused, given the one that a stack was made with; None when it is the same."""
    if first == wanted:
        return None
    made = f"{key}: {wanted}: this stack was made with {first}."
    return f"{made} {_REASONS[key]} Set {key}: {first}"


def _fix(
    stash: str,
    key: FixedKey,
    wanted: FixedValue,
    parent: pulumi.Resource | None = None,
    *,
    after: Sequence[pulumi.Resource] = (),
) -> None:
    opts = pulumi.ResourceOptions(parent=parent, depends_on=list(after))
    made_with = pulumi.Stash(stash, input=wanted, opts=opts)
    made_with.output.apply(lambda first: _refuse_change(key, first, wanted))


def _refuse_change(key: FixedKey, first: float | str | None, wanted: FixedValue) -> None:
    if first is None:  # mocks that know no Stash
        return
    reason = why_refused(key, type(wanted)(first), wanted)  # the engine keeps numbers as floating point
    if reason is not None:
        pulumi.log.error(f"{reason}; {_MOVES[key]}")
        raise pulumi.RunError(f"{reason}.")
