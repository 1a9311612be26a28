"""The consumer groups in which a stack reads Kafka."""

from __future__ import annotations

from collections.abc import Mapping

from components.collector_copier import COPIERS
from components.collector_processor import GROUPS
from components.kafka.topics import SOURCES
from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings import Settings

WRITERS: Mapping[str, str] = {
    "traces": "otel-trace-writers",
    "metrics": "otel-metric-writers",
    "logs": "otel-log-writers",
    "sampled": "otel-sampled-writers",
}
"""Consumer group of what goes to the stores. It is not phase 3's: each has its own offsets in Kafka, so both
sets of stores can be fed at once, and the new one starts with all that Kafka still holds."""


def stack_groups(settings: Settings) -> Mapping[str, str]:
    """Return every consumer group in which a stack reads Kafka, with its topic."""
    copiers = {} if settings.kafka.copy_to is None else COPIERS
    copied = {group: SOURCES[signal] for signal, group in copiers.items()}
    return {**_processor_groups(settings), **copied}


def _processor_groups(settings: Settings) -> Mapping[str, str]:
    new = writer_groups(settings.sampling.mode) if settings.phase >= ON_OBJECT_STORAGE else {}
    named = [*(GROUPS if settings.writes_node_stores else {}).items(), *new.items()]
    return {group: SOURCES[source] for source, group in named}


def topic_readers(settings: Settings, topic: str) -> list[str]:
    """Return the consumer groups of a stack's processors that read a topic.

    The copier is none of them: how a trace's spans are spread over partitions does not matter to it.
    """
    return [group for group, read in _processor_groups(settings).items() if read == topic]


def writer_groups(mode: str) -> Mapping[str, str]:
    """Return the consumer group of each source that processors of phase 4 read, by how traces are sampled."""
    if mode == "tail":
        return {**WRITERS, "traces": GROUPS["traces"]}
    return WRITERS
