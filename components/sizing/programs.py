"""From events per second to memory, CPU, volumes and store limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from components.sections.sizing import LimitSizing, ProgramSizing, SizingSection
from components.sections.stack import RetentionSection
from components.values.quantities import Duration, Size, gibibytes, mebibytes

T = TypeVar("T")

PRESETS: Mapping[str, int] = {"small": 1_000, "medium": 10_000, "large": 50_000}
"""Sustained events per second that each preset is meant for."""

SHARES: Mapping[str, float] = {"traces": 0.4, "metrics": 0.2, "logs": 0.4}
"""Share of each signal in a declared rate, which does not specify its mix."""

STORED_BYTES: Mapping[str, int] = {"traces": 500, "metrics": 2, "logs": 150}
"""Bytes on disk per span (Jaeger on Badger), sample (Prometheus) and log record (Loki): planning figures, on
the safe side. Generated records, all alike, took a tenth of them in the lab."""

WIRE_BYTES = 500
"""Bytes of one event as OTLP in the collector's queue."""

QUEUED_OUTAGE = Duration(4 * 3600)
"""How long a store may be down before the collector's queue volume is full, at the declared rate; the queue
itself is limited to 10,000 requests, which many small senders reach earlier."""

CEILINGS: Mapping[int, int] = {1: 50_000, 2: 100_000}
"""Events per second up to which a phase is meant to be used: the guide's triggers for the next one."""

HEADROOM = 1.2
"""Factor for the free space that stores need to rewrite their blocks."""

GRAFANA_SHARE = 0.5
"""Share of its memory from which on Grafana's own process grows no more: the rest is for its data sources."""

SMALLEST_VOLUME = gibibytes(5)
NO_VOLUME = Size(0)
DEFAULT_METRICS_SIZE = Size(40 * 10**9)


@dataclass(frozen=True, kw_only=True)
class ProgramSize:
    """Limits of one program.

    Attributes:
        memory: hard limit.
        cpus: hard limit, in cores.
        volume: disk budget of its data volume; a program has one only where this says how large.
        reserved: share of the memory that is guaranteed even when the host is full; a quarter, as in the
            guide, except for programs that take more as soon as they start.
    """

    memory: Size
    cpus: float
    volume: Size = NO_VOLUME
    reserved: float = 0.25

    @property
    def reserved_memory(self) -> Size:
        """Memory guaranteed even when the host is full."""
        return self.memory.share(self.reserved)


@dataclass(frozen=True, kw_only=True)
class TierSize:
    """A tier of equal replicas.

    Attributes:
        replicas: how many.
        each: limits of one.
    """

    replicas: int
    each: ProgramSize


@dataclass(frozen=True, kw_only=True)
class StackSize:
    """Sizes of every program for one declared rate.

    Attributes:
        events_per_second: spans, samples and log records together, sustained.
        programs: limits by program.
        metrics_size: disk at which Prometheus drops its oldest blocks.
        log_bytes_per_second: rate that Loki accepts before it answers "slow down".
        operations: operations of one service that each collector counts apart.
    """

    events_per_second: int
    programs: Mapping[str, ProgramSize]
    metrics_size: Size
    log_bytes_per_second: Size
    operations: int


_BANDS: tuple[tuple[int, Mapping[str, ProgramSize]], ...] = (
    (
        1_000,
        {
            "collector": ProgramSize(memory=mebibytes(512), cpus=1),
            "jaeger": ProgramSize(memory=gibibytes(1), cpus=1),
            "prometheus": ProgramSize(memory=gibibytes(1), cpus=1),
            "loki": ProgramSize(memory=gibibytes(1), cpus=1),
            "grafana": ProgramSize(memory=gibibytes(1), cpus=0.5),
        },
    ),
    (
        10_000,
        {
            "collector": ProgramSize(memory=gibibytes(2), cpus=2),
            "jaeger": ProgramSize(memory=gibibytes(4), cpus=2),
            "prometheus": ProgramSize(memory=gibibytes(4), cpus=2),
            "loki": ProgramSize(memory=gibibytes(2), cpus=1),
            "grafana": ProgramSize(memory=gibibytes(2), cpus=1),
        },
    ),
    (
        50_000,
        {
            "collector": ProgramSize(memory=gibibytes(4), cpus=4),
            "jaeger": ProgramSize(memory=gibibytes(8), cpus=4),
            "prometheus": ProgramSize(memory=gibibytes(8), cpus=4),
            "loki": ProgramSize(memory=gibibytes(4), cpus=2),
            "grafana": ProgramSize(memory=gibibytes(2), cpus=1),
        },
    ),
)


SMALL_RATE, BUSY_RATE = 1_000, 10_000
"""Events per second up to which a stack is meant for a trial, and above which it is meant for heavy load."""

OPERATIONS = ((SMALL_RATE, 1_000), (BUSY_RATE, 5_000), (_BANDS[-1][0], 20_000))
"""Operations of one service that each collector counts apart: up to a rate, the last ones above it too.

A service whose spans have identifiers in their names takes all of them. Measured, one takes about 5 KiB in a
collector, and in Prometheus 15 series of 1.7 KiB. Prometheus holds those of two collectors, and twice as many
while old ones make room: 100 MiB of the 1 GiB that it has, 500 MiB of 4 GiB, or 2 GiB of 8.
"""

SMALL_RESERVED_CPU, RESERVED_CPU = 0.125, 0.5
"""Fraction of the CPU limits that is guaranteed: a small stack's programs are seldom all busy at once."""


def reserved_cpu(sizing: SizingSection, percent: int | None) -> float:
    """Return the fraction of the CPU limits that pods request, from 0 to 1."""
    if percent is not None:
        return percent / 100
    return SMALL_RESERVED_CPU if declared_rate(sizing) <= SMALL_RATE else RESERVED_CPU


def _up_to(rate: int, bands: Sequence[tuple[int, T]]) -> T:
    """Choose by a rate: of the first band that reaches it, or of the last."""
    return next((one for limit, one in bands if rate <= limit), bands[-1][1])


def declared_rate(sizing: SizingSection) -> int:
    """Return the events per second that a sizing section stands for."""
    return sizing.events_per_second or PRESETS[sizing.preset or "small"]


def stored_bytes(signal: str, rate: int, retention: Duration) -> Size:
    """Return the disk that one signal takes at a rate over a retention, without headroom."""
    return Size(int(rate * SHARES[signal] * STORED_BYTES[signal] * retention.seconds) or 1)


def size_stack(sizing: SizingSection, retention: RetentionSection) -> StackSize:
    """Give every program its limits for the declared rate, with overrides applied."""
    rate = declared_rate(sizing)
    band = _up_to(rate, _BANDS)
    metrics_size = retention.metrics_size or max(
        DEFAULT_METRICS_SIZE, stored_bytes("metrics", rate, retention.metrics)
    )
    volumes = {
        "collector": Size(rate * WIRE_BYTES * QUEUED_OUTAGE.seconds),
        "jaeger": stored_bytes("traces", rate, retention.traces),
        "prometheus": metrics_size,
        "loki": stored_bytes("logs", rate, retention.logs),
    }
    programs = {
        name: override(
            replace(size, volume=with_headroom(volumes.get(name, SMALLEST_VOLUME))),
            getattr(sizing, name),
        )
        for name, size in band.items()
    }
    return StackSize(
        events_per_second=rate,
        programs=programs,
        metrics_size=metrics_size,
        log_bytes_per_second=max(Size(10 * 2**20), Size(int(rate * SHARES["logs"] * WIRE_BYTES * 2))),
        operations=_up_to(rate, OPERATIONS),
    )


def with_headroom(size: Size) -> Size:
    """Return the size of a volume for ``size`` and the space to rewrite it, in whole GiB."""
    gib = -(-int(size.bytes * HEADROOM) // 2**30)
    return max(SMALLEST_VOLUME, gibibytes(gib))


def override(size: ProgramSize, wanted: LimitSizing) -> ProgramSize:
    """Replace what the sizing gives by what the settings say."""
    volume = wanted.volume if isinstance(wanted, ProgramSizing) else None
    return replace(
        size,
        memory=wanted.memory or size.memory,
        cpus=wanted.cpus or size.cpus,
        volume=volume or size.volume,
    )
