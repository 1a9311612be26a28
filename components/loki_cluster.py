"""Loki on object storage: stores logs in equal replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.base import hours
from components.images import Image
from components.loki_store import CONFIG_DIRECTORY, PORT, accepted_age, rate_limits, replay_ceiling
from components.sections.stores import Shape
from components.sizing.programs import TierSize
from components.stores.bucket import StoreBucket
from components.stores.cluster import (
    GRPC_PORT,
    ClusterStore,
    Extra,
    Program,
    members,
    parts_of,
    workload_of,
)
from components.values.documents import Document
from components.values.quantities import Duration, Size
from components.workload import Platform, callee

LONGEST_CHUNK = Duration(2 * 3600)
"""How long a record is only in replicas: the program's own ``ingester.max_chunk_age``."""


@dataclass(frozen=True, kw_only=True)
class LokiClusterArgs:
    """Settings of Loki.

    Attributes:
        image: Loki's image.
        shape: one binary, or parts.
        sizes: workload -> replicas and limits.
        bucket: where chunks and index are stored.
        tenant: tenant of the stack's own rules.
        retention: age at which log records are deleted.
        oldest_replayed: age of the oldest records that may still come out of Kafka.
        accepted_rate: bytes per second above which it answers "slow down".
        max_streams: active streams.
        rule_files: the stack's own rules, by file.
        metrics_url: where recording rules write, as remote write.
        alertmanager_url: where alerts are sent.
    """

    image: Image
    shape: Shape
    sizes: Mapping[str, TierSize]
    bucket: StoreBucket
    tenant: str
    retention: Duration
    oldest_replayed: Duration
    accepted_rate: Size
    max_streams: int
    metrics_url: str
    alertmanager_url: str
    rule_files: Mapping[str, str] = field(default_factory=dict)


class LokiCluster(ClusterStore):
    """Loki 3: three replicas of everything, or write, read and backend.

    Attributes:
        otlp_url: where logs are written as OTLP.
        query_url: its query API.
    """

    def __init__(
        self, name: str, args: LokiClusterArgs, *, platform: Platform, after: Sequence[pulumi.Resource] = ()
    ) -> None:
        """Run Loki once its bucket may be used."""
        super().__init__(name, platform)
        parts = parts_of("loki", args.shape)
        found = self.run_parts(loki_program(name, args), parts, args.sizes, after)
        self.otlp_url = f"{found[workload_of('loki', args.shape, 'writer')].url('http')}/otlp"
        self.query_url = found[workload_of("loki", args.shape, "reader")].url("http")


def loki_program(name: str, args: LokiClusterArgs) -> Program:
    """Describe what all parts share."""
    rules = {f"rules/{args.tenant}/{path}": content for path, content in args.rule_files.items()}
    return Program(
        image=args.image,
        http_port=PORT,
        alive="/loki/api/v1/status/buildinfo",
        config_directory=CONFIG_DIRECTORY,
        config_file="loki-cluster.yaml",
        files={"loki-cluster.yaml": loki_cluster_configuration(name, args).dump()},
        secret_files=args.bucket.secret_files,
        environment=args.bucket.environment(CONFIG_DIRECTORY),
        account=args.bucket.account,
        data_directory="/loki",
        volume="loki-cluster-data",
        calls=[*args.bucket.calls, callee(args.metrics_url), callee(args.alertmanager_url)],
        extras={"ruler": Extra(files=rules)},
    )


def loki_cluster_configuration(name: str, args: LokiClusterArgs) -> Document:
    """Set Loki's configuration file from its settings."""
    document = Document.read("loki/loki-cluster.yaml")
    document.set("memberlist", "join_members", to=members(name))
    keeper = args.sizes[workload_of("loki", args.shape, "keeper")]
    document.set("ingester", "wal", "replay_memory_ceiling", to=replay_ceiling(keeper.each.memory))
    compactor = workload_of("loki", args.shape, "backend")
    document.set("common", "compactor_grpc_address", to=f"{compactor}:{GRPC_PORT}")
    s3 = {"bucket_name": args.bucket.name, **args.bucket.settings(CONFIG_DIRECTORY)}
    for key, value in s3.items():
        document.set("storage_config", "object_store", "s3", key, to=value)
    late = Duration(args.oldest_replayed.seconds + LONGEST_CHUNK.seconds)
    document.set("querier", "query_ingesters_within", to=hours(late))
    limits: dict[str, str | int] = {
        "retention_period": hours(args.retention),
        "reject_old_samples_max_age": accepted_age(args.oldest_replayed),
        **rate_limits(args.accepted_rate),
        "max_global_streams_per_user": args.max_streams,
        "max_query_series": args.max_streams,
    }
    for key, limit in limits.items():
        document.set("limits_config", key, to=limit)
    document.set("ruler", "alertmanager_url", to=args.alertmanager_url)
    document.set("ruler", "remote_write", "clients", "mimir", "url", to=args.metrics_url)
    return document
