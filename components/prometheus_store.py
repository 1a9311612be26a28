"""Prometheus: stores metrics, scrapes the stack itself, evaluates its alerts."""

from __future__ import annotations

from dataclasses import dataclass

from components.base import StackComponent, hours, limits
from components.documents import Document, texts
from components.images import Image
from components.quantities import Duration, Size
from components.sizing import ProgramSize
from components.workload import DataVolume, Platform, Port, Probe, Publication, Workload

CONFIG_DIRECTORY = "/etc/prometheus"
PORT = 9090


@dataclass(frozen=True, kw_only=True)
class PrometheusStoreArgs:
    """Settings of Prometheus.

    Attributes:
        image: Prometheus's image.
        size: its limits and disk.
        environment: external label on everything it sends on.
        retention: age at which a block is dropped.
        retention_size: disk at which the oldest blocks are dropped.
        out_of_order: how late a sample may arrive.
        published: where UI and query API are reachable from outside.
    """

    image: Image
    size: ProgramSize
    environment: str
    retention: Duration
    retention_size: Size
    out_of_order: Duration
    published: Publication | None = None


class PrometheusStore(StackComponent):
    """Prometheus 3 on a volume, taking OTLP."""

    def __init__(self, name: str, args: PrometheusStoreArgs, *, platform: Platform) -> None:
        """Run Prometheus."""
        super().__init__(name, platform)
        self.run(platform, _workload(name, args))


def prometheus_configuration(args: PrometheusStoreArgs) -> Document:
    """Set Prometheus's configuration file from its settings."""
    window = args.out_of_order.in_unit("s")
    return (
        Document.read("prometheus/prometheus.yaml")
        .set("global", "external_labels", "environment", to=args.environment)
        .set("storage", "tsdb", "out_of_order_time_window", to=window)
    )


def prometheus_files(args: PrometheusStoreArgs) -> dict[str, str]:
    """Give the configuration file and the rule files."""
    rules = {f"rules/{path}": content for path, content in texts("prometheus/rules", "*.yaml").items()}
    return {"prometheus.yaml": prometheus_configuration(args).dump(), **rules}


def _workload(name: str, args: PrometheusStoreArgs) -> Workload:
    return Workload(
        name=name,
        image=args.image,
        args=[
            f"--config.file={CONFIG_DIRECTORY}/prometheus.yaml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={hours(args.retention)}",
            f"--storage.tsdb.retention.size={args.retention_size.bytes}B",
            "--enable-feature=exemplar-storage",
            "--web.enable-lifecycle",
            "--web.enable-otlp-receiver",
            "--web.enable-remote-write-receiver",
            "--log.format=json",
        ],
        config_directory=CONFIG_DIRECTORY,
        files=prometheus_files(args),
        ports=[Port(name="http", number=PORT, published=args.published)],
        probe=Probe(
            port=PORT,
            path="/-/ready",
            command=("promtool", "check", "ready", f"--url=http://localhost:{PORT}"),
        ),
        resources=limits(args.size),
        volumes=[DataVolume(name="prometheus-data", path="/prometheus", size=args.size.volume)],
    )
