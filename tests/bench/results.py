"""What one run of the benchmark measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What some load workers got acknowledged.

    Attributes:
        workers: how many there were.
        acknowledged: records per second that were answered OK.
        p50: milliseconds that half of the acknowledged calls took at most.
        p99: the same for 99 of 100.
        refused: calls that were answered with an error, or not in time.
        gateway_cpu: the gateway's processor seconds per million acknowledged records.
        kafka_cpu: the broker's.
    """

    workers: int
    acknowledged: float
    p50: float
    p99: float
    refused: int
    gateway_cpu: float
    kafka_cpu: float


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What a processor did with what Kafka had, while nothing else ran.

    Attributes:
        read: records per second that the processor read, from its start until it had all or time was up.
        stored: records per second that the store accepted, from the first to the last.
        decided: traces per second that were decided on whole, less the time that each has to wait; 0 for
            logs and metrics.
        undecided: share of the traces that were discarded undecided.
        cpu: the processor's seconds of processor time per million records read.
        whole: the store, or the sampler, had everything before time was up.
    """

    read: float
    stored: float
    decided: float
    undecided: float
    cpu: float
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Together:
    """What happened while applications sent and the processor was behind, all at once.

    Attributes:
        acknowledged: records per second that were answered OK.
        p99: milliseconds that 99 of 100 acknowledged calls took at most.
        stored: records per second that the store accepted meanwhile.
        decided: traces per second that were decided on whole meanwhile; 0 for logs and metrics.
    """

    acknowledged: float
    p99: float
    stored: float
    decided: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run.

    Attributes:
        shape: whose configuration it was, ``guide`` or ``ours``.
        signal: what was sent.
        bytes_per_event: bytes on Kafka's disk per record.
        unwritten: records that were acknowledged, and that the gateway did not write to Kafka.
        records: records that Kafka had when the processor was started.
        gateway_memory: the gateway's largest resident memory, in MiB.
        processor_memory: the processor's.
        kafka_memory: the broker's.
        loads: what each number of load workers got acknowledged, without the processor.
        delivered: what the processor did, without load.
        together: what both did at once.
    """

    shape: str
    signal: str
    bytes_per_event: float
    unwritten: float
    records: float
    gateway_memory: float
    processor_memory: float
    kafka_memory: float
    loads: Sequence[Loaded]
    delivered: Delivered
    together: Together

    def figures(self) -> Mapping[str, float]:
        """Give all figures by name."""
        loads = {
            f"{name}, {load.workers} workers": float(getattr(load, name))
            for load in self.loads
            for name in ("acknowledged", "p50", "p99", "refused", "gateway_cpu", "kafka_cpu")
        }
        delivered = {name: float(value) for name, value in asdict(self.delivered).items()}
        together = {f"{name}, together": value for name, value in asdict(self.together).items()}
        memory = ("gateway_memory", "processor_memory", "kafka_memory")
        own = {
            name: float(getattr(self, name)) for name in ("bytes_per_event", "unwritten", "records", *memory)
        }
        return {**loads, **delivered, **together, **own}
