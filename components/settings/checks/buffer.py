"""Whether gateways, processors, partitions and brokers' disks fit each other and the declared rate."""

from __future__ import annotations

from collections.abc import Iterator

from components.sections.phase_numbers import ON_KUBERNETES, WITH_KAFKA
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem
from components.sizing import declared_rate, with_headroom
from components.sizing.buffer import UNDECIDED_SPAN, in_gibibytes, partition_bytes, undecided_spans
from components.values.quantities import Duration, Size

MOST_BALANCED = 16
"""Gateways that HAProxy's configuration names."""

SPANS = 10
"""Spans of a usual trace, when all that is known is the rate of spans."""

UNDECIDED_SHARE = 0.5
"""Share of a processor's memory that undecided spans may take; from 60% on it reads nothing more."""


def throttled_problem(settings: SettingsModel) -> Problem | None:
    """Report that processors would wait for decisions rather than read at the declared rate."""
    sampling = settings.sampling
    if settings.phase < WITH_KAFKA or sampling.mode != "tail" or sampling.max_traces is None:
        return None
    processors = settings.buffer.processor.replicas
    waiting = int(undecided_spans(declared_rate(settings.sizing), sampling, processors) / SPANS)
    if sampling.max_traces >= waiting:
        return None
    return Problem(
        key="sampling.maxTraces",
        value=sampling.max_traces,
        message=f"a processor reads nothing while it holds so many, and at the declared rate, with {SPANS} "
        f"spans a trace, {waiting:,} are undecided at once; raise it, or remove it",
    )


def crowded_problem(settings: SettingsModel) -> Problem | None:
    """Report that spans that wait for decisions would fill the processors' memory at the declared rate."""
    sampling, processor = settings.sampling, settings.buffer.processor
    if settings.phase < WITH_KAFKA or sampling.mode != "tail":
        return None
    spans = undecided_spans(declared_rate(settings.sizing), sampling, processor.replicas)
    memory, taken = processor.each.memory, Size(int(spans * UNDECIDED_SPAN))
    allowed = memory.share(UNDECIDED_SHARE)
    if taken <= allowed:
        return None
    longest = Duration(max(1, sampling.decision_wait.seconds * allowed.bytes // taken.bytes))
    enough = in_gibibytes(Size(int(taken.bytes / UNDECIDED_SHARE)))
    return Problem(
        key="sampling.decisionWait",
        value=str(sampling.decision_wait),
        message=f"at the declared rate {spans:,.0f} spans wait that long in each processor and take "
        f"{taken.mebibytes:,}MiB; above half of its memory ({memory}) it may read more slowly than they come."
        f" Set sizing.processor.memory: {enough}, more sizing.processor.replicas, or at most {longest} here",
    )


def _processors_have_partitions(settings: SettingsModel) -> Iterator[Problem]:
    buffer = settings.buffer
    processors, partitions = buffer.processor.replicas, buffer.partitions
    if settings.phase >= WITH_KAFKA and processors > partitions:
        said = settings.sizing.processor.replicas is not None
        yield Problem(
            key="sizing.processor.replicas" if said else "kafka.partitions",
            value=processors if said else partitions,
            message=f"{processors} processors, but a partition for only {partitions} of them: the others "
            f"would idle. Set kafka.partitions to at least {processors}, better twice that",
        )


def _gateways_have_a_name(settings: SettingsModel) -> Iterator[Problem]:
    gateways, given = settings.buffer.gateway.replicas, settings.sizing.gateway.replicas
    if settings.phase == WITH_KAFKA and gateways > MOST_BALANCED:
        yield Problem(
            key="sizing.eventsPerSecond" if given is None else "sizing.gateway.replicas",
            value=given or declared_rate(settings.sizing),
            message=f"needs {gateways} gateways, but HAProxy knows {MOST_BALANCED}; move to phase "
            f"{ON_KUBERNETES} (docs/migration-2-to-3.md), or set sizing.gateway.replicas: {MOST_BALANCED} "
            "and more sizing.gateway.cpus",
        )


def _partitions_hold_retention(settings: SettingsModel) -> Iterator[Problem]:
    kafka = settings.kafka
    if settings.phase < WITH_KAFKA or not kafka.create_topics or kafka.retention_size is None:
        return
    rate, partitions = declared_rate(settings.sizing), settings.buffer.partitions
    needed = partition_bytes(rate, kafka.retention, partitions)
    if kafka.retention_size < needed:
        yield Problem(
            key="kafka.retentionSize",
            value=str(kafka.retention_size),
            message=f"{rate:,} events/s fill it before kafka.retention ({kafka.retention}) in each of "
            f"{partitions} partitions, and Kafka would delete unread records; {in_gibibytes(needed)} "
            "suffice: enlarge it, remove it to derive it from the rate, or shorten kafka.retention",
        )


def _volume_holds_retention(settings: SettingsModel) -> Iterator[Problem]:
    volume, kept = settings.sizing.kafka.volume, settings.buffer.kept
    is_own = settings.phase >= WITH_KAFKA and settings.kafka.mode != "external"
    if is_own and volume is not None and volume < kept:
        yield Problem(
            key="sizing.kafka.volume",
            value=str(volume),
            message=f"{declared_rate(settings.sizing):,} events/s fill it before kafka.retention "
            f"({settings.kafka.retention}), and brokers stop; it takes about {with_headroom(kept)}: enlarge "
            "it, or shorten the retention",
        )


_READ = ("phase", "sizing", "kafka", "sampling")

BUFFER_CHECKS: tuple[Check, ...] = (
    Check(reads=_READ, run=_processors_have_partitions),
    Check(reads=_READ, run=_gateways_have_a_name),
    Check(reads=_READ, run=_partitions_hold_retention),
    Check(reads=_READ, run=_volume_holds_retention),
)
