"""What must hold between the settings of the stores on object storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem, too_little_memory
from components.sizing.batches import MOST_ANSWER, MOST_TRACE
from components.values.quantities import Duration, Size, mebibytes

HOUR = 3600
LEAST_HOURS: Mapping[str, tuple[str, int]] = {
    "traces": ("Tempo", 1),
    "metrics": ("Mimir", 1),
    "logs": ("Loki", 24),
}
"""Signal -> its store, and the hours that it has to keep it. Loki's documentation names that minimum ("Log
retention"); hours are the unit that all three are told."""

LEAST_MEMORY: Mapping[str, Size] = {
    "stores.tempo": mebibytes(256),
    "stores.mimir": mebibytes(256),
    "stores.loki": mebibytes(512),
    "stores.parts": mebibytes(512),
    "postgres": mebibytes(256),
}
"""Section -> memory limit that each replica needs. Loki's caches of answers take up to 100 MB of it,
PostgreSQL's shared buffers 128."""


def _phase3_only_in_phase4(settings: SettingsModel) -> Iterator[Problem]:
    wanted = settings.stores.phase3
    if wanted != "absent" and settings.phase < ON_OBJECT_STORAGE:
        yield Problem(
            key="stores.phase3",
            value=wanted,
            message=f"phase {settings.phase} has these stores anyway; set phase: 4, or remove it",
        )


def _stores_have_memory(settings: SettingsModel) -> Iterator[Problem]:
    for section, least in LEAST_MEMORY.items():
        yield from too_little_memory(section, attrgetter(section)(settings).memory, least)


def _traces_can_be_queried(settings: SettingsModel) -> Iterator[Problem]:
    largest = settings.stores.tempo.max_trace_size
    if largest > MOST_TRACE:
        yield Problem(
            key="stores.tempo.maxTraceSize",
            value=str(largest),
            message=f"up to {MOST_TRACE}: an answer may be twice as large as its trace, and Tempo receives "
            f"none over {MOST_ANSWER}, so nobody could open it. Lower it; further spans are then rejected",
        )


def _stores_can_count_their_retention(settings: SettingsModel) -> Iterator[Problem]:
    if settings.phase < ON_OBJECT_STORAGE:
        return
    for signal, (store, fewest) in LEAST_HOURS.items():
        kept = getattr(settings.retention, signal)
        whole = Duration(max(fewest, -(-kept.seconds // HOUR)) * HOUR)
        if kept != whole:
            yield Problem(
                key=f"retention.{signal}",
                value=str(kept),
                message=f"{store} keeps {signal} for whole hours, {fewest} at least; set "
                f"{whole.in_unit('h')}, or longer",
            )


def _attributes_fit_their_trace(settings: SettingsModel) -> Iterator[Problem]:
    tempo = settings.stores.tempo
    if tempo.max_attribute_size >= tempo.max_trace_size:
        yield Problem(
            key="stores.tempo.maxAttributeSize",
            value=str(tempo.max_attribute_size),
            message=f"a whole trace may have {tempo.max_trace_size}; stay below that, for example at 64KiB",
        )


STORES_CHECKS: tuple[Check, ...] = (
    Check(reads=("phase", "stores"), run=_phase3_only_in_phase4),
    Check(reads=("postgres", "stores"), run=_stores_have_memory),
    Check(reads=("phase", "retention"), run=_stores_can_count_their_retention),
    Check(reads=("stores",), run=_traces_can_be_queried),
    Check(reads=("stores",), run=_attributes_fit_their_trace),
)
