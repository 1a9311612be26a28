"""From events per second to sizes: of single programs here, of Kafka's path and the stores in its modules."""

from components.sizing.programs import (
    GRAFANA_SHARE,
    HEADROOM,
    SHARES,
    SMALL_RATE,
    ProgramSize,
    StackSize,
    declared_rate,
    reserved_cpu,
    size_stack,
    stored_bytes,
    with_headroom,
)

__all__ = [
    "GRAFANA_SHARE",
    "HEADROOM",
    "SHARES",
    "SMALL_RATE",
    "ProgramSize",
    "StackSize",
    "declared_rate",
    "reserved_cpu",
    "size_stack",
    "stored_bytes",
    "with_headroom",
]
