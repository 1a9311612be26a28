"""Checks of rate, ports, memory, disks and request sizes, in any phase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem, too_little_memory
from components.sizing import HEADROOM, declared_rate, size_stack, stored_bytes
from components.sizing.batches import MOST_FOR_JAEGER, MOST_REQUEST, WRITTEN_AT_ONCE
from components.sizing.programs import CEILINGS
from components.values.addresses import overlap
from components.values.quantities import Size, mebibytes

MINIMUM_MEMORY: Mapping[str, Size] = {
    "collector": mebibytes(256),
    "jaeger": mebibytes(256),
    "prometheus": mebibytes(256),
    "loki": mebibytes(256),
    "grafana": mebibytes(512),
    "gateway": mebibytes(256),
    "processor": mebibytes(256),
    "kafka": mebibytes(768),
    "haproxy": mebibytes(64),
}
"""Least memory that is accepted. Idle in the lab, in MiB: collector 22, processor 79, gateway 35, Jaeger
133, Prometheus 148, Loki 102, Kafka 430, HAProxy 23; about double leaves room for a first burst. Grafana
could not be measured there; since 13.2 its data sources, about a dozen, are processes beside it."""


def ceiling_problem(settings: SettingsModel) -> Problem | None:
    """Report a declared rate that belongs to a later phase."""
    rate = declared_rate(settings.sizing)
    ceiling = CEILINGS.get(settings.phase)
    if ceiling is None or rate <= ceiling:
        return None
    grown = "set phase: 2" if rate <= CEILINGS[2] else "move to phase 3 (docs/migration-2-to-3.md)"
    return Problem(
        key="sizing.eventsPerSecond",
        value=rate,
        message=f"phase {settings.phase} is made for up to {ceiling:,} events/s; {grown}, "
        "or set sizing.allowAboveCeiling: true to continue with a warning",
    )


def _rate_fits_phase(settings: SettingsModel) -> Iterator[Problem]:
    problem = ceiling_problem(settings)
    if problem is not None and not settings.sizing.allow_above_ceiling:
        yield problem


def _one_way_of_sizing(settings: SettingsModel) -> Iterator[Problem]:
    sizing = settings.sizing
    if sizing.preset is not None and sizing.events_per_second is not None:
        yield Problem(
            key="sizing.eventsPerSecond",
            value=sizing.events_per_second,
            message=f"sizing.preset: {sizing.preset} already sets the size; remove one of the two",
        )


def _ports_differ(settings: SettingsModel) -> Iterator[Problem]:
    taken: dict[tuple[str, int], str] = {}
    for key, (address, port) in settings.published_ports().items():
        for (other, number), holder in taken.items():
            if port == number and overlap(address, other):
                yield Problem(
                    key=key,
                    value=port,
                    message=f"{holder} uses this port already, at {other}; choose another port or address",
                )
                break
        taken.setdefault((address, port), key)


def _memory_suffices(settings: SettingsModel) -> Iterator[Problem]:
    for program, least in MINIMUM_MEMORY.items():
        yield from too_little_memory(f"sizing.{program}", getattr(settings.sizing, program).memory, least)


def _volumes_hold_retention(settings: SettingsModel) -> Iterator[Problem]:
    if not settings.has_node_stores:
        return
    sizing, retention = settings.sizing, settings.retention
    rate = declared_rate(sizing)
    planned = size_stack(sizing, retention)
    disks = {
        "traces": ("sizing.jaeger.volume", sizing.jaeger.volume),
        "metrics": ("retention.metricsSize", retention.metrics_size),
        "logs": ("sizing.loki.volume", sizing.loki.volume),
    }
    for signal, (key, disk) in disks.items():
        kept = getattr(retention, signal)
        needed = stored_bytes(signal, rate, kept)
        if disk is not None and disk < needed:
            yield Problem(
                key=f"retention.{signal}",
                value=str(kept),
                message=f"{rate:,} events/s fill {key} ({disk}) sooner; it takes about "
                f"{needed.bytes * HEADROOM / 2**30:,.0f}GiB: enlarge {key} or shorten the retention",
            )
    volume = planned.programs["prometheus"].volume
    if volume < planned.metrics_size:
        yield Problem(
            key="sizing.prometheus.volume",
            value=str(volume),
            message=f"smaller than retention.metricsSize ({planned.metrics_size}); enlarge it or lower that",
        )


def _requests_fit_the_way(settings: SettingsModel) -> Iterator[Problem]:
    largest = settings.ingest.max_message_size
    if settings.writes_node_stores and largest > MOST_FOR_JAEGER:
        yield Problem(
            key="ingest.maxMessageSize",
            value=str(largest),
            message=f"up to {MOST_FOR_JAEGER} where Jaeger stores traces: a span of over 10 MB is more than "
            'its store takes at once, and it would answer "try again" forever. Lower it, and have SDKs send '
            "smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE)",
        )
    elif largest > MOST_REQUEST:
        yield Problem(
            key="ingest.maxMessageSize",
            value=str(largest),
            message=f"up to {MOST_REQUEST}: a record in Kafka may be twice as large, and no more than "
            f"{WRITTEN_AT_ONCE} is written at once. Lower it, and have SDKs send smaller batches "
            "(OTEL_BSP_MAX_EXPORT_BATCH_SIZE)",
        )
    elif largest != mebibytes(largest.mebibytes):
        yield Problem(
            key="ingest.maxMessageSize",
            value=str(largest),
            message="a whole number of MiB, 1MiB at least: collectors limit gRPC in MiB, "
            f"and accept the same over HTTP. Set {mebibytes(largest.mebibytes + 1)}",
        )


STACK_CHECKS: tuple[Check, ...] = (
    Check(reads=("sizing",), run=_one_way_of_sizing),
    Check(reads=("phase", "sizing"), run=_rate_fits_phase),
    Check(reads=("ingest", "query", "grafana"), run=_ports_differ),
    Check(reads=("sizing",), run=_memory_suffices),
    Check(reads=("phase", "ingest", "stores"), run=_requests_fit_the_way),
    Check(reads=("sizing", "retention", "stores"), run=_volumes_hold_retention),
)
