"""One run: records into Kafka, a processor that reads them into the stores, then load by some workers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.bench import programs
from tests.bench.delivery import deliver, written
from tests.bench.loading import load
from tests.bench.results import Measured
from tests.bench.shapes import Ports
from tests.support.ports import free_ports

WORKERS = (1, 2, 4)
FILLERS = 2
"""Load workers that write what the processor then reads."""


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long a run takes.

    Attributes:
        fill: seconds of load for what the processor reads; it warms the broker up as well.
        delivery: seconds that the processor gets for it, at most.
        load: seconds of load by each number of workers.
    """

    fill: float = 5.0
    delivery: float = 60.0
    load: float = 8.0


def measure(shape: str, signal: str, length: Length) -> Measured:
    """Run one configuration with one signal on programs of its own, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="otel-bench-") as folder:
        names = Ports.__dataclass_fields__
        ports = Ports(**dict(zip(names, free_ports(len(names)), strict=True)))
        with programs.site(Path(folder), shape, ports) as site:
            return _measure(site, signal, length)


def _measure(site: programs.Site, signal: str, length: Length) -> Measured:
    programs.start_kafka(site)
    gateway = programs.start_gateway(site)
    filled = load(site, signal, FILLERS, length.fill)
    records = written(site, signal)
    size = programs.kafka_bytes(site, f"otlp-{signal}")
    delivered = deliver(site, signal, records, length.delivery)
    for name in set(site.running) - {"kafka", "gateway"}:
        site.stop(name)
    loads = [load(site, signal, workers, length.load) for workers in WORKERS]
    everything = filled.acknowledged * length.fill + sum(one.acknowledged for one in loads) * length.load
    return Measured(
        shape=site.shape,
        signal=signal,
        bytes_per_event=size / records,
        unwritten=everything - written(site, signal),
        gateway_memory=gateway.use().peak,
        kafka_memory=site.running["kafka"].use().peak,
        loads=loads,
        delivered=delivered,
    )
