"""The sections of the stack configuration for the stores of phase 4."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, Count, Text
from components.sections.sizing import LimitSizing, ProgramSizing
from components.values.quantities import Size

Tenant = Annotated[
    str,
    Text(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "a tenant: up to 100 letters, digits, - _ ."),
]
Shape = Literal["single", "split"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TempoSection(ProgramSizing):
    """Limits of Tempo; memory, CPU and volume are those of one replica that keeps data.

    Attributes:
        max_trace_size: largest trace that is stored, 50MiB at most; further spans of it are refused.
        max_attribute_size: longest key or value of an attribute; the rest is cut off.
        rate: bytes of spans per second that one replica accepts; from the sizing by default.
        service_graph_series: most series that the metrics generator creates in one replica.
    """

    max_trace_size: Size = Size(5 * 10**6)
    max_attribute_size: Size = Size(64 * 2**10)
    rate: Size | None = None
    service_graph_series: Count = 100_000


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MimirSection(ProgramSizing):
    """Limits of Mimir; memory, CPU and volume are those of one replica that keeps data.

    Attributes:
        max_series: series in memory, each counted once; determines the number of replicas. By default, what
            the replicas of the sizing hold.
        samples_per_second: samples accepted; from the sizing by default.
        max_exemplars: exemplars kept.
        rules: ``files`` evaluates the stack's own rules; ``api`` those that teams upload to the ruler bucket
            instead.
        add_deltas: add up metrics of delta temporality, which Mimir rejects. All metrics of one resource then
            go to one processor, in records of their own.
    """

    max_series: Count | None = None
    samples_per_second: Count | None = None
    max_exemplars: Count = 100_000
    rules: Literal["files", "api"] = "files"
    add_deltas: bool = False


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LokiSection(ProgramSizing):
    """Limits of Loki; memory, CPU and volume are those of one replica that keeps data.

    Attributes:
        max_streams: active streams over all replicas. A service is one, and one more for each hour from which
            late records come; what would exceed the limit waits in Kafka.
        rate: bytes of logs per second accepted; from the sizing by default.
    """

    max_streams: Count = 10_000
    rate: Size | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StoresSection:
    """The stores of phase 4.

    Attributes:
        tenant: name under which the stack's telemetry is stored and queried (``X-Scope-OrgID``). What was
            stored under another name stays there.
        shape: ``single`` runs each store as equal replicas of everything; ``split`` as parts that scale
            independently. From the sizing by default.
        phase3: what becomes of Jaeger, Prometheus and the single Loki of phase 3: ``written`` feeds them and
            the new stores, ``readable`` keeps them for queries until their retention ends, ``absent`` removes
            them and keeps their volumes.
        parts: limits of each replica of the parts that ``split`` adds, which keep no data.
        tempo: limits of Tempo.
        mimir: limits of Mimir.
        loki: limits of Loki.
    """

    tenant: Tenant = "otel-stack"
    shape: Shape | None = None
    phase3: Literal["written", "readable", "absent"] = "absent"
    parts: LimitSizing = field(default_factory=LimitSizing)
    tempo: TempoSection = field(default_factory=TempoSection)
    mimir: MimirSection = field(default_factory=MimirSection)
    loki: LokiSection = field(default_factory=LokiSection)
