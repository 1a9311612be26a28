"""Loki: stores logs."""

from __future__ import annotations

from dataclasses import dataclass

from components.base import StackComponent, data_volumes, hours, limits
from components.images import Image
from components.publication import Publication
from components.sizing import ProgramSize
from components.values.documents import Document
from components.values.quantities import Duration, Size, days
from components.workload import Platform, Port, Probe, Workload

CONFIG_DIRECTORY = "/etc/loki"
PORT = 3100
BURST = 2
"""How many seconds' worth of the accepted rate may arrive at once: the guide's ratio of burst to rate."""

OLDEST = days(7)
"""Age up to which records are accepted, at least."""

LEAST_BURST = 256
"""Megabytes that one request may reach in any case: what exceeds the burst is never accepted. The resource's
attributes count for each record: 8,192 records with 2.5 kB of them are 21 MB, sent as 0.3 MB."""

REPLAYED = 0.25
"""Share of the memory that records may take while Loki replays its write-ahead log, before it writes chunks.
Its own default is 4 GB: one that was killed for want of memory would be killed again while it replays."""


@dataclass(frozen=True, kw_only=True)
class LokiStoreArgs:
    """Settings of Loki.

    Attributes:
        image: Loki's image.
        size: its limits and disk.
        retention: age at which log records are deleted.
        oldest_replayed: age of the oldest records that may still come out of Kafka; None without it.
        accepted_rate: bytes per second above which it answers "slow down".
        published: where the query API is reachable from outside.
    """

    image: Image
    size: ProgramSize
    retention: Duration
    accepted_rate: Size
    oldest_replayed: Duration | None = None
    published: Publication | None = None


class LokiStore(StackComponent):
    """Loki 3 as one process on a volume, taking OTLP."""

    def __init__(self, name: str, args: LokiStoreArgs, *, platform: Platform) -> None:
        """Run Loki."""
        super().__init__(name, platform)
        self.run(_workload(name, args))


def loki_configuration(args: LokiStoreArgs) -> Document:
    """Set Loki's configuration file from its settings."""
    document = Document.read("loki/loki.yaml")
    values = {
        "retention_period": hours(args.retention),
        "reject_old_samples_max_age": accepted_age(args.oldest_replayed),
        **rate_limits(args.accepted_rate),
    }
    for key, value in values.items():
        document.set("limits_config", key, to=value)
    document.set("ingester", "wal", "replay_memory_ceiling", to=replay_ceiling(args.size.memory))
    return document


def replay_ceiling(memory: Size) -> str:
    """Return what records may take in memory while Loki replays its write-ahead log."""
    return f"{memory.share(REPLAYED).bytes // 2**20}MB"


def accepted_age(oldest_replayed: Duration | None) -> str:
    """Return the age up to which Loki accepts records."""
    return hours(OLDEST if oldest_replayed is None else max(OLDEST, oldest_replayed))


def rate_limits(accepted: Size) -> dict[str, str | int]:
    """Return Loki's limits for a rate in bytes per second, for all streams and for one."""
    rate = -(-accepted.bytes // 2**20)
    burst = max(LEAST_BURST, rate * BURST)
    return {
        "ingestion_rate_mb": rate,
        "ingestion_burst_size_mb": burst,
        "per_stream_rate_limit": f"{rate}MB",
        "per_stream_rate_limit_burst": f"{burst}MB",
    }


def _workload(name: str, args: LokiStoreArgs) -> Workload:
    return Workload(
        name=name,
        image=args.image,
        args=[f"-config.file={CONFIG_DIRECTORY}/loki.yaml"],
        config_directory=CONFIG_DIRECTORY,
        files={"loki.yaml": loki_configuration(args).dump()},
        ports=[Port(name="http", number=PORT, published=args.published)],
        scraped="http",
        probe=Probe(
            port=PORT,
            path="/ready",
            alive="/loki/api/v1/status/buildinfo",
            command=("/usr/bin/loki", "-health"),
        ),
        resources=limits(args.size),
        volumes=data_volumes("loki-data", "/loki", args.size),
    )
