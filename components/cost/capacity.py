"""What a phase runs for a declared rate, and the machines that hold it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from components.cost.prices import Machine
from components.sections.grafana import GrafanaSection
from components.sections.kafka import KafkaSection
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.sections.postgres import PostgresSection
from components.sections.sizing import SizingSection
from components.sections.stack import RetentionSection, SamplingSection
from components.sections.stores import StoresSection
from components.sizing import ProgramSize, size_stack
from components.sizing.buffer import BufferSize, size_buffer
from components.sizing.stores import StoresSize, size_stores
from components.values.quantities import Size

NODES = 3
"""Fewest nodes of a cluster: one for each copy of Kafka's records."""

USABLE = 0.9
"""Fraction of a machine that its system leaves free."""

BUSY_CPUS = 0.5
"""Fraction of their CPU limits that programs use together: limits are for bursts, which do not coincide."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """Equal replicas of one program.

    Attributes:
        name: name of the workload.
        replicas: how many.
        each: limits of one, with those of what runs beside it in its pod.
        apart: on a cluster, each must have a machine of its own.
    """

    name: str
    replicas: int = 1
    each: ProgramSize
    apart: bool = False

    @property
    def volume(self) -> int:
        """Bytes of each replica's data volume; 0 without one."""
        return self.each.volume.bytes


def programs_of(phase: int, rate: int, retention: RetentionSection) -> list[Program]:
    """List what a phase runs for a rate, with default settings."""
    sizing = SizingSection(events_per_second=rate)
    sizes = size_stack(sizing, retention).programs
    collector = Program(name="otel-collector", each=sizes["collector"])
    node = [Program(name=name, each=each) for name, each in sizes.items() if name != "collector"]
    if phase < WITH_KAFKA:
        return [collector, *node]
    size = size_buffer(sizing, KafkaSection(), SamplingSection())
    if phase < ON_KUBERNETES:
        return [Program(name="haproxy", each=size.load_balancer), *_buffer(size), collector, *node]
    if phase < ON_OBJECT_STORAGE:
        return [*_buffer(size), *node]
    return [*_buffer(size), *_stores(size_stores(sizing, StoresSection(), PostgresSection()))]


def cheapest(
    programs: Sequence[Program], machines: Sequence[Machine], *, cluster: bool
) -> tuple[Machine | None, int]:
    """Find the cheapest machines that hold all programs: one, or for a cluster at least three.

    A cluster also has one for each of the replicas that must be apart.
    """
    memory = sum(program.replicas * program.each.memory.bytes for program in programs)
    cpus = sum(program.replicas * program.each.cpus for program in programs) * BUSY_CPUS
    largest = max(program.each.memory.bytes for program in programs)
    apart = max((program.replicas for program in programs if program.apart), default=0)
    fitting: list[tuple[float, Machine, int]] = []
    for machine in machines:
        needed = max(memory / (machine.memory.bytes * USABLE), cpus / (machine.cpus * USABLE))
        count = max(NODES, apart, math.ceil(needed)) if cluster else 1
        if needed <= count and largest <= machine.memory.bytes * USABLE:
            fitting.append((count * machine.per_hour, machine, count))
    if not fitting:
        return None, 0
    _, machine, count = min(fitting, key=lambda option: option[0])
    return machine, count


def _buffer(size: BufferSize) -> list[Program]:
    return [
        Program(name="otel-gateway", replicas=size.gateway.replicas, each=size.gateway.each),
        Program(name="kafka", replicas=size.brokers, each=size.broker, apart=True),
        Program(name="kafka-topics", each=size.topics),
        Program(name="otel-processor", replicas=size.processor.replicas, each=size.processor.each),
    ]


def _stores(size: StoresSize) -> list[Program]:
    parts = [
        Program(name=name, replicas=tier.replicas, each=tier.each, apart=True)
        for name, tier in size.parts.items()
    ]
    return [
        *parts,
        Program(name="grafana", replicas=GrafanaSection().replicas, each=size.grafana, apart=True),
        Program(name="postgres", each=size.postgres),
        Program(name="postgres-backup", each=_pod(size.dumper, size.uploader)),
        Program(name="prometheus-agent", each=size.agent),
        Program(name="query-gateway", replicas=size.query_gateway.replicas, each=size.query_gateway.each),
    ]


def _pod(program: ProgramSize, beside: ProgramSize) -> ProgramSize:
    """Add up two programs that run in one pod, on the volume of the first."""
    memory = Size(program.memory.bytes + beside.memory.bytes)
    return replace(program, memory=memory, cpus=program.cpus + beside.cpus)
