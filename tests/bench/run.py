"""One run: load on the gateway, then a processor that reads it into the stores, then both at once."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.bench import programs
from tests.bench.delivery import Delivery, written
from tests.bench.loading import Load, put
from tests.bench.results import Measured
from tests.bench.shapes import Ports
from tests.support.ports import free_ports

WORKERS = (1, 2, 4)
WARM_SECONDS = 2.0
"""Load before anything is measured: the broker compiles what it runs often."""
BOTH = 2
"""Load workers while the processor runs as well."""


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long a run takes, and how hard it is.

    Attributes:
        load: seconds of load by each number of workers.
        delivery: seconds that the processor gets for what they wrote, at most.
        together: seconds of both at once.
        calls: calls that a load worker has in flight.
    """

    load: float
    delivery: float
    together: float
    calls: int


def measure(shape: str, signal: str, length: Length) -> Measured:
    """Run one configuration with one signal on programs of its own, in a folder that is deleted after it."""
    with tempfile.TemporaryDirectory(prefix="otel-bench-") as folder:
        names = Ports.__dataclass_fields__
        ports = Ports(**dict(zip(names, free_ports(len(names)), strict=True)))
        with programs.site(Path(folder), shape, ports) as site:
            return _measure(site, signal, length)


def _measure(site: programs.Site, signal: str, length: Length) -> Measured:
    def load(workers: int, seconds: float) -> Load:
        return Load(workers=workers, calls=length.calls, seconds=seconds)

    programs.start_kafka(site)
    programs.start_gateway(site)
    warm = put(site, signal, load(1, WARM_SECONDS))
    loads = [put(site, signal, load(workers, length.load)) for workers in WORKERS]
    everything = warm.acknowledged * WARM_SECONDS + sum(one.acknowledged for one in loads) * length.load
    records = written(site, signal)
    size = programs.kafka_bytes(site, f"otlp-{signal}")
    delivery = Delivery(site, signal)
    delivered = delivery.wait(records, length.delivery)
    together = delivery.under(load(BOTH, length.together))
    everything += together.acknowledged * length.together
    memory = {name: site.running[name].use().peak for name in ("gateway", "processor", "kafka")}
    return Measured(
        shape=site.shape,
        signal=signal,
        bytes_per_event=size / records,
        unwritten=everything - written(site, signal),
        records=records,
        gateway_memory=memory["gateway"],
        processor_memory=memory["processor"],
        kafka_memory=memory["kafka"],
        loads=loads,
        delivered=delivered,
        together=together,
    )
