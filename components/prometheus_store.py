"""Prometheus: stores metrics, scrapes the stack itself, evaluates its alerts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from components.base import StackComponent, data_volumes, hours, limits
from components.images import Image
from components.publication import Publication
from components.sizing import ProgramSize
from components.values.documents import Document, text
from components.values.quantities import Duration, Size
from components.workload import ApiRule, Platform, Port, Probe, Workload, callee

CONFIG_DIRECTORY = "/etc/prometheus"
PORT = 9090
PROBE = Probe(
    port=PORT,
    path="/-/ready",
    alive="/-/healthy",
    command=("promtool", "check", "ready", f"--url=http://localhost:{PORT}"),
)
OWN_JOB = "prometheus"
HOST_JOB = "otel-collector"
"""The collector of phases 1 and 2, which is on no cluster."""

Discovery = Literal["names", "pods"]
"""How Prometheus finds what it scrapes: by the names of its jobs, or all pods annotated for it."""

POD_ATTRIBUTES = ("k8s.namespace.name", "k8s.pod.name", "k8s.node.name", "k8s.deployment.name")


@dataclass(frozen=True, kw_only=True)
class PrometheusStoreArgs:
    """Settings of Prometheus.

    Attributes:
        image: Prometheus's image.
        size: its limits and disk.
        environment: external label on everything it forwards.
        retention: age at which a block is dropped.
        retention_size: disk at which the oldest blocks are dropped.
        out_of_order: how late a sample may arrive.
        rule_files: its alerting and recording rules, by file.
        alertmanagers: URLs of the Alertmanagers to which it sends its alerts.
        jobs: additional scrape job -> ``name:port`` of programs; a name may stand for several replicas.
        discovery: how it finds them.
        published: where UI and query API are reachable from outside.
    """

    image: Image
    size: ProgramSize
    environment: str
    retention: Duration
    retention_size: Size
    out_of_order: Duration
    rule_files: Mapping[str, str] = field(default_factory=dict)
    alertmanagers: Sequence[str] = ()
    jobs: Mapping[str, str] = field(default_factory=dict)
    discovery: Discovery = "names"
    published: Publication | None = None


class PrometheusStore(StackComponent):
    """Prometheus 3 on a volume, taking OTLP.

    Attributes:
        rules: its rules, by file, for others that evaluate them too.
    """

    def __init__(self, name: str, args: PrometheusStoreArgs, *, platform: Platform) -> None:
        """Run Prometheus."""
        super().__init__(name, platform)
        self.rules = args.rule_files
        self.run(_workload(name, args))


def prometheus_configuration(args: PrometheusStoreArgs) -> Document:
    """Set Prometheus's configuration file from its settings."""
    document = Document.read("prometheus/prometheus.yaml")
    document.set("global", "external_labels", "environment", to=args.environment)
    window = args.out_of_order.in_unit("s")
    document.set("storage", "tsdb", "out_of_order_time_window", to=window)
    if args.alertmanagers:
        document.set("alerting", "alertmanagers", to=_alertmanagers(args.alertmanagers))
    else:
        document.remove("alerting")
    if args.discovery == "pods":
        document.set("scrape_configs", to=[])
        document.get("otlp", "promote_resource_attributes").extend(POD_ATTRIBUTES)
        return document
    document.remove("scrape_config_files")
    document.get("scrape_configs").extend(_job(name, address) for name, address in args.jobs.items())
    return document


def prometheus_files(args: PrometheusStoreArgs) -> dict[str, str]:
    """Return the configuration file, the rule files, and how pods are found."""
    rules = {f"rules/{path}": content for path, content in args.rule_files.items()}
    pods = {} if args.discovery == "names" else {"scrape/pods.yaml": text("prometheus/scrape/pods.yaml")}
    return {"prometheus.yaml": prometheus_configuration(args).dump(), **rules, **pods}


def _scraped(args: PrometheusStoreArgs) -> list[str]:
    """Return the addresses of everything that it scrapes except itself."""
    document = Document.read("prometheus/prometheus.yaml")
    always = {
        job["job_name"]: job["static_configs"][0]["targets"][0] for job in document.get("scrape_configs")
    }
    absent = (OWN_JOB, HOST_JOB) if args.discovery == "pods" else (OWN_JOB,)
    return sorted(address for job, address in {**always, **args.jobs}.items() if job not in absent)


def _alertmanagers(urls: Sequence[str]) -> list[dict[str, Any]]:
    """Return an entry for each scheme and path, with the addresses in the order given."""
    targets: dict[tuple[str, str], list[str]] = defaultdict(list)
    for url in urls:
        parts = urlsplit(url)
        targets[parts.scheme, parts.path.rstrip("/")].append(callee(url))
    return [
        {
            "scheme": scheme,
            "path_prefix": path or "/",
            "api_version": "v2",
            "static_configs": [{"targets": addresses}],
        }
        for (scheme, path), addresses in targets.items()
    ]


def _job(name: str, address: str) -> dict[str, Any]:
    host, port = address.rsplit(":", 1)
    lookup = {"names": [host], "type": "A", "port": int(port), "refresh_interval": "10s"}
    return {"job_name": name, "dns_sd_configs": [lookup]}


def _workload(name: str, args: PrometheusStoreArgs) -> Workload:
    return Workload(
        name=name,
        image=args.image,
        args=[
            f"--config.file={CONFIG_DIRECTORY}/prometheus.yaml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={hours(args.retention)}",
            f"--storage.tsdb.retention.size={args.retention_size.bytes}B",
            # Adds up delta counters; refused, they would take others in the same request with them.
            "--enable-feature=exemplar-storage,otlp-deltatocumulative",
            "--web.enable-otlp-receiver",
            "--web.enable-remote-write-receiver",
            "--log.format=json",
        ],
        config_directory=CONFIG_DIRECTORY,
        files=prometheus_files(args),
        ports=[Port(name="http", number=PORT, published=args.published)],
        scraped="http",
        calls=[*_scraped(args), *map(callee, args.alertmanagers)],
        reads=[ApiRule(resources=("pods",))] if args.discovery == "pods" else (),
        probe=PROBE,
        resources=limits(args.size),
        volumes=data_volumes("prometheus-data", "/prometheus", args.size),
    )
