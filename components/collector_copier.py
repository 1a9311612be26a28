"""The copier: reads Kafka a second time, for another stack that applications are about to move to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.base import StackComponent
from components.collectors.workload import CONFIG_DIRECTORY, METRICS_PORT, collector_workload, set_memory
from components.images import Image
from components.kafka.client import KafkaClient
from components.sections.kafka import CopyTarget
from components.settings import Settings
from components.sizing import ProgramSize
from components.values.documents import Document
from components.workload import Platform, Workload

NAME = "otel-copier"

COPIERS: Mapping[str, str] = {
    "traces": "otel-trace-copiers",
    "metrics": "otel-metric-copiers",
    "logs": "otel-log-copiers",
}
"""Consumer group of each signal. Its offsets in Kafka and the processors' are independent of each other."""

EXPORTER = ("exporters", "otlp_grpc/copy")
AUTHORITY_FILE = "copy-ca.crt"


@dataclass(frozen=True, kw_only=True)
class CollectorCopierArgs:
    """Settings of the copier.

    Attributes:
        image: the collector's image.
        size: its limits.
        kafka: where it reads from.
        target: where it writes to.
    """

    image: Image
    size: ProgramSize
    kafka: KafkaClient
    target: CopyTarget


class CollectorCopier(StackComponent):
    """One collector that forwards what the gateways acknowledge; nobody waits for it."""

    def __init__(
        self, name: str, args: CollectorCopierArgs, *, platform: Platform, after: Sequence[StackComponent]
    ) -> None:
        """Run it once Kafka has its topics; the other stack may come later."""
        super().__init__(name, platform)
        self.run(_workload(name, args), after)


def copier_job(settings: Settings) -> Mapping[str, str]:
    """Return the address of its own metrics by scrape job, where it runs."""
    return {} if settings.kafka.copy_to is None else {NAME: f"{NAME}:{METRICS_PORT}"}


def _workload(name: str, args: CollectorCopierArgs) -> Workload:
    workload = collector_workload(name, copier_configuration(args), image=args.image, size=args.size)
    authority = {} if args.target.ca is None else {AUTHORITY_FILE: args.target.ca}
    return replace(
        workload,
        replicas=1,
        identity=True,
        calls=[*args.kafka.servers, args.target.endpoint],
        files={**workload.files, **authority},
        secret_files=args.kafka.secret_files,
    )


def copier_configuration(args: CollectorCopierArgs) -> Document:
    """Set the copier's configuration file from its settings."""
    document = Document.read("otel-copier/copier.yaml")
    set_memory(document, args.size)
    for signal, group in COPIERS.items():
        args.kafka.configure(document, "receivers", f"kafka/{signal}")
        document.set("receivers", f"kafka/{signal}", "group_id", to=group)
    document.set(*EXPORTER, "endpoint", to=args.target.endpoint)
    document.set(*EXPORTER, "tls", "insecure", to=not args.target.tls)
    if args.target.ca is not None:
        document.get(*EXPORTER, "tls")["ca_file"] = f"{CONFIG_DIRECTORY}/{AUTHORITY_FILE}"
    return document
