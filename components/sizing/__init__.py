"""From events per second to replicas, memory, partitions and disks."""

from components.sizing.programs import (
    GRAFANA_SHARE,
    HEADROOM,
    MINIMUM_MEMORY,
    PRESETS,
    SHARES,
    SMALL_RATE,
    STORED_BYTES,
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
    "MINIMUM_MEMORY",
    "PRESETS",
    "SHARES",
    "SMALL_RATE",
    "STORED_BYTES",
    "ProgramSize",
    "StackSize",
    "declared_rate",
    "reserved_cpu",
    "size_stack",
    "stored_bytes",
    "with_headroom",
]
