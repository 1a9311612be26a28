"""Tempo: stores traces on object storage, and derives who calls whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.base import hours
from components.images import Image
from components.sections.stores import Shape
from components.sizing.batches import largest_answer, largest_delivery
from components.sizing.programs import TierSize
from components.stores.bucket import StoreBucket
from components.stores.cluster import GRPC_PORT, ClusterStore, Program, members, parts_of, workload_of
from components.values.documents import Document
from components.values.quantities import Duration, Size
from components.workload import Platform, Port, callee, headless

CONFIG_DIRECTORY = "/etc/tempo"
PORT, OTLP_PORT = 3200, 4317
BURST = 2
"""How many seconds' worth of the accepted rate may arrive at once."""

LEAST_BURST = 20 * 2**20
"""Bytes that may arrive at once in any case: a request over the burst would be told to wait forever."""

ON_THE_WAY = Duration(60)
"""How long a span is on its way, not counting the time that the sampler waits."""

QUEUE_FORGOTTEN = Duration(35)
"""Its queue of queries forgets a tenant within 30 s of the last query, and it does not end before (Tempo's
pull request 7967). A pod that is to stop gets none after a few seconds."""


@dataclass(frozen=True, kw_only=True)
class TempoStoreArgs:
    """Settings of Tempo.

    Attributes:
        image: Tempo's image.
        shape: one binary, or parts.
        sizes: workload -> replicas and limits.
        bucket: where its blocks are stored.
        retention: age at which traces are deleted.
        oldest_replayed: age of the oldest spans that may still come out of Kafka.
        decision_wait: how long the sampler holds a trace's spans back.
        largest_request: largest request that applications may send.
        accepted_rate: bytes of spans per second that one replica accepts.
        max_trace_size: largest trace.
        max_attribute_size: longest key or value of an attribute.
        max_series: series of the metrics generator, in one replica.
        metrics_url: where the metrics generator writes, as remote write.
    """

    image: Image
    shape: Shape
    sizes: Mapping[str, TierSize]
    bucket: StoreBucket
    retention: Duration
    oldest_replayed: Duration
    decision_wait: Duration
    largest_request: Size
    accepted_rate: Size
    max_trace_size: Size
    max_attribute_size: Size
    max_series: int
    metrics_url: str


class TempoStore(ClusterStore):
    """Tempo 2.10: three replicas of everything, or its microservices.

    Attributes:
        otlp: where spans are written, ``host:port`` of OTLP over gRPC.
        query_url: its query API.
    """

    def __init__(
        self, name: str, args: TempoStoreArgs, *, platform: Platform, after: Sequence[pulumi.Resource] = ()
    ) -> None:
        """Run Tempo once its bucket may be used."""
        super().__init__(name, platform)
        otlp = Port(name="otlp-grpc", number=OTLP_PORT, speaks="grpc")
        parts = parts_of("tempo", args.shape, written=(otlp,))
        found = self.run_parts(tempo_program(name, args), parts, args.sizes, after)
        self.otlp = found[workload_of("tempo", args.shape, "writer")].address(otlp.name)
        self.query_url = found[workload_of("tempo", args.shape, "reader")].url("http")


def tempo_program(name: str, args: TempoStoreArgs) -> Program:
    """Describe what all parts share."""
    return Program(
        image=args.image,
        http_port=PORT,
        alive="/status/version",
        config_directory=CONFIG_DIRECTORY,
        config_file="tempo.yaml",
        files={"tempo.yaml": tempo_configuration(name, args).dump()},
        secret_files=args.bucket.secret_files,
        environment=args.bucket.environment(CONFIG_DIRECTORY),
        account=args.bucket.account,
        data_directory="/var/tempo",
        volume="tempo-data",
        calls=[*args.bucket.calls, callee(args.metrics_url)],
        linger=QUEUE_FORGOTTEN,
    )


def tempo_configuration(name: str, args: TempoStoreArgs) -> Document:
    """Set Tempo's configuration file from its settings."""
    document, bucket = Document.read("tempo/tempo.yaml"), args.bucket
    document.set("memberlist", "join_members", to=members(name))
    document.set("compactor", "compaction", "block_retention", to=hours(args.retention))
    frontend = headless(workload_of("tempo", args.shape, "reader"))
    document.set("querier", "frontend_worker", "frontend_address", to=f"{frontend}:{GRPC_PORT}")
    document.set("metrics_generator", "storage", "remote_write", 0, "url", to=args.metrics_url)
    s3: dict[str, str | bool] = {
        "bucket": bucket.name,
        "endpoint": bucket.bucket.endpoint,
        "region": bucket.bucket.region,
        "forcepathstyle": bucket.bucket.path_style,
        "insecure": not bucket.bucket.tls,
        "tls_ca_path": bucket.authority(CONFIG_DIRECTORY),
    }
    for key, value in s3.items():
        document.set("storage", "trace", "s3", key, to=value)
    if bucket.bucket.path_style:
        document.remove("storage", "trace", "s3", "bucket_lookup_type")
    late = hours(args.oldest_replayed)
    document.set("storage", "trace", "wal", "ingestion_time_range_slack", to=late)
    slack = Duration(args.decision_wait.seconds + ON_THE_WAY.seconds).in_unit("s")
    document.set("metrics_generator", "metrics_ingestion_time_range_slack", to=slack)
    document.set("distributor", "max_attribute_bytes", to=args.max_attribute_size.bytes)
    delivery = largest_delivery(args.largest_request)
    otlp = ("distributor", "receivers", "otlp", "protocols", "grpc")
    document.set(*otlp, "max_recv_msg_size_mib", to=delivery.mebibytes)
    message = max(delivery, largest_answer(args.max_trace_size)).bytes
    for limit in ("grpc_server_max_recv_msg_size", "grpc_server_max_send_msg_size"):
        document.set("server", limit, to=message)
    document.set("querier", "frontend_worker", "grpc_client_config", "max_send_msg_size", to=message)
    rate = args.accepted_rate.bytes
    defaults = ("overrides", "defaults")
    document.set(*defaults, "ingestion", "rate_limit_bytes", to=rate)
    document.set(
        *defaults, "ingestion", "burst_size_bytes", to=max(LEAST_BURST, BURST * rate, delivery.bytes)
    )
    document.set(*defaults, "global", "max_bytes_per_trace", to=args.max_trace_size.bytes)
    document.set(*defaults, "metrics_generator", "max_active_series", to=args.max_series)
    return document
