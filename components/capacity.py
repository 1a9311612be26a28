"""What a phase runs for a declared rate, and the machines that hold it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.prices import Machine
from components.sections import KafkaSection, RetentionSection, SamplingSection, SizingSection
from components.sections_phase4 import ClusteredGrafanaSection, PostgresSection, StoresSection
from components.sizing import ProgramSize, size_stack
from components.sizing_buffer import BufferSize, size_buffer
from components.sizing_stores import StoresSize, size_stores
from components.store_parts import PARTS

NODES = 3
"""Fewest nodes of a cluster: one for each copy of Kafka's records."""

USABLE = 0.9
"""Fraction of a machine that its system leaves free."""

BUSY_CPUS = 0.5
"""Fraction of their CPU limits that programs use together: limits are for bursts, which do not coincide."""

KEEPERS = frozenset(
    {"collector", "jaeger", "prometheus", "loki", "grafana", "kafka", "postgres", "prometheus-agent"}
    | {parts["single"][0].name for parts in PARTS.values()}
)
"""Programs with a data volume; the others' disk is the machine's own."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """Equal replicas of one program.

    Attributes:
        name: name of the program.
        replicas: how many.
        each: limits of one.
    """

    name: str
    replicas: int
    each: ProgramSize

    @property
    def volume(self) -> int:
        """Bytes of each replica's data volume; 0 without one."""
        return self.each.volume.bytes if self.name in KEEPERS else 0


def programs_of(phase: int, rate: int, retention: RetentionSection) -> list[Program]:
    """List what a phase runs for a rate, with default settings."""
    sizing = SizingSection(events_per_second=rate)
    sizes = size_stack(sizing, retention).programs
    node = [Program(name=name, replicas=1, each=each) for name, each in sizes.items()]
    if phase < WITH_KAFKA:
        return node
    size = size_buffer(sizing, KafkaSection(), SamplingSection())
    if phase < ON_KUBERNETES:
        return [Program(name="haproxy", replicas=1, each=size.load_balancer), *_buffer(size), *node]
    if phase < ON_OBJECT_STORAGE:
        return [*_buffer(size), *(program for program in node if program.name != "collector")]
    return [*_buffer(size), *_stores(size_stores(sizing, StoresSection(), PostgresSection()))]


def cheapest(
    programs: Sequence[Program], machines: Sequence[Machine], *, cluster: bool
) -> tuple[Machine | None, int]:
    """Find the cheapest machines that hold all programs: one, or at least three for a cluster."""
    memory = sum(program.replicas * program.each.memory.bytes for program in programs)
    cpus = sum(program.replicas * program.each.cpus for program in programs) * BUSY_CPUS
    largest = max(program.each.memory.bytes for program in programs)
    fitting: list[tuple[float, Machine, int]] = []
    for machine in machines:
        needed = max(memory / (machine.memory.bytes * USABLE), cpus / (machine.cpus * USABLE))
        count = max(NODES, math.ceil(needed)) if cluster else 1
        if needed <= count and largest <= machine.memory.bytes * USABLE:
            fitting.append((count * machine.per_hour, machine, count))
    if not fitting:
        return None, 0
    _, machine, count = min(fitting, key=lambda option: option[0])
    return machine, count


def _buffer(size: BufferSize) -> list[Program]:
    return [
        Program(name="gateway", replicas=size.gateway.replicas, each=size.gateway.each),
        Program(name="kafka", replicas=size.brokers, each=size.broker),
        Program(name="processor", replicas=size.processor.replicas, each=size.processor.each),
    ]


def _stores(size: StoresSize) -> list[Program]:
    parts = [Program(name=name, replicas=tier.replicas, each=tier.each) for name, tier in size.parts.items()]
    return [
        *parts,
        Program(name="grafana", replicas=ClusteredGrafanaSection().replicas, each=size.grafana),
        Program(name="postgres", replicas=1, each=size.postgres),
        Program(name="prometheus-agent", replicas=1, each=size.agent),
    ]
