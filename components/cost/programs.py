"""What a phase runs for a declared rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from components.sections.grafana import GrafanaSection
from components.sections.kafka import KafkaSection
from components.sections.kubernetes import TierScaling
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.sections.postgres import PostgresSection
from components.sections.sizing import SizingSection
from components.sections.stack import RetentionSection, SamplingSection
from components.sections.stores import StoresSection
from components.sizing import ProgramSize, size_stack
from components.sizing.buffer import BufferSize, size_buffer
from components.sizing.programs import RESERVED_CPU, TierSize
from components.sizing.stores import StoresSize, size_stores
from components.values.quantities import Size


@dataclass(frozen=True, kw_only=True)
class Program:
    """Equal replicas of one program.

    Attributes:
        name: name of the workload.
        replicas: how many.
        each: limits of one, with those of what runs beside it in its pod.
        apart: on a cluster, each must have a machine of its own.
        requested: fraction of its CPU limit that a pod requests.
    """

    name: str
    replicas: int = 1
    each: ProgramSize
    apart: bool = False
    requested: float = RESERVED_CPU

    @property
    def requested_cpus(self) -> float:
        """Cores that each pod requests."""
        return self.each.cpus * self.requested

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


def _buffer(size: BufferSize) -> list[Program]:
    return [
        _scaled("otel-gateway", size.gateway),
        Program(name="kafka", replicas=size.brokers, each=size.broker, apart=True),
        Program(name="kafka-topics", each=size.topics),
        _scaled("otel-processor", size.processor),
    ]


def _scaled(name: str, size: TierSize) -> Program:
    """Return a tier that an autoscaler scales, whose pods request the share at which it does."""
    share = TierScaling().cpu_percent / 100
    return Program(name=name, replicas=size.replicas, each=size.each, requested=share)


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
