"""Settings of how much the stack carries, and of single programs' limits."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, Count, Cpus
from components.values.quantities import Size


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LimitSizing:
    """Limits of one program that override the sizing's.

    Attributes:
        memory: hard limit.
        cpus: hard limit, in cores.
    """

    memory: Size | None = None
    cpus: Cpus | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ProgramSizing(LimitSizing):
    """Limits of one program that keeps data, or of each of its replicas.

    Attributes:
        volume: disk budget of its data volume.
    """

    volume: Size | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TierSizing(LimitSizing):
    """Limits of one replica of a tier, which keeps no data, and how many there are.

    Attributes:
        replicas: number of replicas; at least 2, so that one may fail.
    """

    replicas: Annotated[int, Field(ge=2)] | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SizingSection:
    """How much the stack carries: a preset or a declared rate.

    Attributes:
        preset: small (1,000 events/s), medium (10,000) or large (50,000); small by default.
        events_per_second: sustained rate of spans, samples and log records together.
        allow_above_ceiling: turn the refusal of a rate above the phase's ceiling into a warning.
        collector: overrides for the collector.
        jaeger: overrides for Jaeger.
        prometheus: overrides for Prometheus.
        loki: overrides for Loki.
        grafana: overrides for Grafana.
        gateway: overrides for the gateway collectors, from phase 2 on.
        processor: overrides for the processor collectors, from phase 2 on.
        kafka: overrides for each Kafka broker, from phase 2 on.
        haproxy: overrides for the load balancer of phase 2 and the query gateway of phase 4.
    """

    preset: Literal["small", "medium", "large"] | None = None
    events_per_second: Count | None = None
    allow_above_ceiling: bool = False
    collector: ProgramSizing = field(default_factory=ProgramSizing)
    jaeger: ProgramSizing = field(default_factory=ProgramSizing)
    prometheus: ProgramSizing = field(default_factory=ProgramSizing)
    loki: ProgramSizing = field(default_factory=ProgramSizing)
    grafana: ProgramSizing = field(default_factory=ProgramSizing)
    gateway: TierSizing = field(default_factory=TierSizing)
    processor: TierSizing = field(default_factory=TierSizing)
    kafka: ProgramSizing = field(default_factory=ProgramSizing)
    haproxy: LimitSizing = field(default_factory=LimitSizing)
