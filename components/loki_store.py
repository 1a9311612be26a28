"""Loki: stores logs."""

from __future__ import annotations

from dataclasses import dataclass

from components.base import StackComponent, hours, limits
from components.documents import Document
from components.images import Image
from components.quantities import Duration, Size
from components.sizing import ProgramSize
from components.workload import DataVolume, Platform, Port, Probe, Publication, Workload

CONFIG_DIRECTORY = "/etc/loki"
PORT = 3100
BURST = 2
"""How many seconds' worth of the accepted rate may come at once: the guide's ratio of burst to rate."""


@dataclass(frozen=True, kw_only=True)
class LokiStoreArgs:
    """Settings of Loki.

    Attributes:
        image: Loki's image.
        size: its limits and disk.
        retention: age at which log records are deleted.
        accepted_rate: bytes per second after which it answers "slow down".
        published: where the query API is reachable from outside.
    """

    image: Image
    size: ProgramSize
    retention: Duration
    accepted_rate: Size
    published: Publication | None = None


class LokiStore(StackComponent):
    """Loki 3 as one process on a volume, taking OTLP."""

    def __init__(self, name: str, args: LokiStoreArgs, *, platform: Platform) -> None:
        """Run Loki."""
        super().__init__(name, platform)
        self.run(_workload(name, args))


def loki_configuration(args: LokiStoreArgs) -> Document:
    """Set Loki's configuration file from its settings."""
    rate = -(-args.accepted_rate.bytes // 2**20)
    document = Document.read("loki/loki.yaml")
    values: dict[str, str | int] = {
        "retention_period": hours(args.retention),
        "ingestion_rate_mb": rate,
        "ingestion_burst_size_mb": rate * BURST,
        "per_stream_rate_limit": f"{rate}MB",
        "per_stream_rate_limit_burst": f"{rate * BURST}MB",
    }
    for key, value in values.items():
        document.set("limits_config", key, to=value)
    return document


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
        volumes=[DataVolume(name="loki-data", path="/loki", size=args.size.volume)],
    )
