"""Mimir: stores metrics on object storage, evaluates rules, notifies people of alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components.alerts.contact_points import (
    Contacts,
    alertmanager_configuration,
    contact_calls,
    contact_files,
)
from components.base import hours
from components.images import Image
from components.sections.stores import Shape
from components.sizing.programs import TierSize
from components.stores.bucket import StoreBucket
from components.stores.cluster import ClusterStore, Extra, Program, members, parts_of, workload_of
from components.values.documents import Document
from components.values.quantities import Duration
from components.workload import Platform

CONFIG_DIRECTORY = "/etc/mimir"
PORT = 9009
BURST = 10
"""How many seconds' worth of the accepted rate may arrive at once: what waited in Kafka arrives in bulk."""

LEAST_BURST = 500_000
"""Samples that may arrive at once in any case: a request over the burst would be told to wait forever."""

HEAD = Duration(2 * 3600)
"""Time after which samples move from memory into a block."""

NEWEST = Duration(13 * 3600)
"""Age up to which replicas keep blocks that they have handed over."""


@dataclass(frozen=True, kw_only=True)
class MimirBuckets:
    """Where Mimir keeps its data.

    Attributes:
        blocks: samples.
        ruler: rules that teams upload.
        alertmanager: silences, and a record of what has been sent.
    """

    blocks: StoreBucket
    ruler: StoreBucket
    alertmanager: StoreBucket


@dataclass(frozen=True, kw_only=True)
class MimirStoreArgs:
    """Settings of Mimir.

    Attributes:
        image: Mimir's image.
        shape: one binary, or parts.
        sizes: workload -> replicas and limits.
        buckets: where its data is.
        tenant: tenant of the stack's own rules.
        retention: age at which samples are deleted.
        out_of_order: how late a sample may arrive.
        series: series in memory.
        samples_per_second: samples that are accepted.
        exemplars: exemplars that are kept.
        rules: the stack's own from files, or those that teams upload.
        rule_files: the stack's own rules, by file.
        contacts: who is notified of alerts.
    """

    image: Image
    shape: Shape
    sizes: Mapping[str, TierSize]
    buckets: MimirBuckets
    tenant: str
    retention: Duration
    out_of_order: Duration
    series: int
    samples_per_second: int
    exemplars: int
    rules: Literal["files", "api"] = "files"
    rule_files: Mapping[str, str] = field(default_factory=dict)
    contacts: Contacts = field(default_factory=Contacts)


class MimirStore(ClusterStore):
    """Mimir 3: three replicas of everything, or write, read and backend.

    Attributes:
        otlp_url: where samples are written as OTLP.
        push_url: where they are written as remote write.
        query_url: its query API, the same as Prometheus's.
        alertmanager_url: its Alertmanager.
        rules: the stack's own rules, by file, for others that evaluate them too.
    """

    def __init__(
        self, name: str, args: MimirStoreArgs, *, platform: Platform, after: Sequence[pulumi.Resource] = ()
    ) -> None:
        """Run Mimir once its buckets may be used."""
        super().__init__(name, platform)
        parts = parts_of("mimir", args.shape)
        found = self.run_parts(mimir_program(name, args), parts, args.sizes, after)
        writer, reader = (
            found[workload_of("mimir", args.shape, role)].url("http") for role in ("writer", "reader")
        )
        self.rules = args.rule_files
        self.otlp_url, self.push_url = f"{writer}/otlp", f"{writer}/api/v1/push"
        self.query_url = f"{reader}/prometheus"
        self.alertmanager_url = alertmanager_url(args.shape)


def mimir_program(name: str, args: MimirStoreArgs) -> Program:
    """Describe what all parts share."""
    blocks = args.buckets.blocks
    return Program(
        image=args.image,
        http_port=PORT,
        alive="/api/v1/status/buildinfo",
        config_directory=CONFIG_DIRECTORY,
        config_file="mimir.yaml",
        files={"mimir.yaml": mimir_configuration(name, args).dump()},
        secret_files=blocks.secret_files,
        environment=blocks.environment(CONFIG_DIRECTORY),
        account=blocks.account,
        data_directory="/data",
        volume="mimir-data",
        calls=blocks.calls,
        extras={"ruler": Extra(files=_rules(args)), "alertmanager": _alertmanager(args.contacts)},
    )


def _rules(args: MimirStoreArgs) -> dict[str, str]:
    """Return the stack's own rules, by tenant, where they are evaluated."""
    if args.rules != "files":
        return {}
    return {f"rules/{args.tenant}/{path}": content for path, content in args.rule_files.items()}


def _alertmanager(contacts: Contacts) -> Extra:
    """Return who is notified of alerts, and their addresses."""
    return Extra(
        files={"alertmanager.yaml": alertmanager_configuration(contacts, CONFIG_DIRECTORY).dump()},
        secret_files=contact_files(contacts),
        calls=contact_calls(contacts),
    )


def alertmanager_url(shape: Shape) -> str:
    """Return the address of Mimir's Alertmanager: nothing else that Mimir serves is below it."""
    return f"http://{workload_of('mimir', shape, 'backend')}:{PORT}/alertmanager"


def mimir_configuration(name: str, args: MimirStoreArgs) -> Document:
    """Set Mimir's configuration file from its settings."""
    document, buckets = Document.read("mimir/mimir.yaml"), args.buckets
    document.set("memberlist", "join_members", to=members(name))
    for key, value in buckets.blocks.settings(CONFIG_DIRECTORY).items():
        document.set("common", "storage", "s3", key, to=value)
    document.set("blocks_storage", "s3", "bucket_name", to=buckets.blocks.name)
    document.set("ruler_storage", "s3", "bucket_name", to=buckets.ruler.name)
    document.set("alertmanager_storage", "s3", "bucket_name", to=buckets.alertmanager.name)
    document.set("ruler_storage", "backend", to="local" if args.rules == "files" else "s3")
    document.set("ruler", "alertmanager_url", to=alertmanager_url(args.shape))
    document.set("alertmanager", "external_url", to=alertmanager_url(args.shape))
    limits: dict[str, str | int] = {
        "compactor_blocks_retention_period": hours(args.retention),
        "out_of_order_time_window": args.out_of_order.in_unit("s"),
        "query_ingesters_within": hours(max(NEWEST, Duration(args.out_of_order.seconds + HEAD.seconds))),
        "ingestion_rate": args.samples_per_second,
        "ingestion_burst_size": max(LEAST_BURST, BURST * args.samples_per_second),
        "max_global_series_per_user": args.series,
        "max_global_exemplars_per_user": args.exemplars,
    }
    for key, limit in limits.items():
        document.set("limits", key, to=limit)
    return document
