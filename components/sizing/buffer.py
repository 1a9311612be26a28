"""From events per second to gateways, Kafka and processors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.sections.kafka import KafkaSection
from components.sections.sizing import SizingSection
from components.sections.stack import SamplingSection
from components.sizing.programs import (
    BUSY_RATE,
    SHARES,
    SMALL_RATE,
    ProgramSize,
    TierSize,
    declared_rate,
    override,
    with_headroom,
)
from components.values.quantities import Duration, Size, gibibytes, mebibytes

GATEWAY_RATE = 100_000
"""Events per second assumed for one gateway of 2 cores: what it acknowledged of its slowest signal, traces,
while broker, processor, store and load shared the same 2 cores (docs/performance.md)."""

PROCESSOR_RATE = 50_000
"""Events per second assumed for one processor of 2 cores: two thirds of what it did with the slowest signals,
traces with sampling and logs, while broker and store shared the same 2 cores (docs/performance.md)."""

BUFFERED_BYTES = 100
"""Bytes of one event in Kafka, compressed: about twice what the benchmark's largest signal, traces, took, as
its generated records are more alike than real ones (docs/performance.md)."""

BROKER_HEAP = 0.5
"""Share of a broker's memory that its heap takes as soon as it starts; the rest caches its files."""

BROKER_RESERVED = 0.75
"""Share of a broker's memory that is guaranteed: the heap, and half of the rest."""

LEAST_PARTITION = gibibytes(10)
"""Least size at which a partition's oldest records are deleted, as in the guide. All partitions together
exceed a broker's disk: above the declared rate the disk fills first, and Kafka refuses new records rather
than delete what may be unread."""

PARTITION_SPARE = 1.25
"""Room of a partition, as a multiple of its equal share of a topic."""

SEGMENT = mebibytes(256)
"""Kafka deletes whole files of this size, and never the one that it writes to: a partition holds up to one
more than its retention says. With Kafka's default, 1 GiB, that would be most of a small stack's disk."""

SEGMENTS = 24
"""Files, at least, that a partition's retention is cut into. Kafka deletes whole files: a partition that gets
little would otherwise keep its records for up to a week longer, as long as Kafka writes to one file."""

LEAST_SEGMENT_AGE = Duration(600)
DELETION = Duration(600)
"""How long Kafka takes to delete a file that is old enough: it looks every five minutes, and waits one."""

LEAST_TRACES = 100_000
DECISION_SPARE = 2
"""Traces to hold, as a multiple of those that arrive while one waits for its decision."""

UNDECIDED_SPAN = 2_560
"""Bytes of a processor's memory that a span takes while its trace is undecided: a quarter of what a trace of
four took in the benchmark (docs/performance.md)."""


@dataclass(frozen=True, kw_only=True)
class BufferSize:
    """Size of the path through Kafka.

    Attributes:
        gateway: collectors that applications send to.
        processor: collectors that write to the stores.
        brokers: Kafka brokers.
        broker: limits of one.
        partitions: partitions of each topic.
        replicas: copies of each partition.
        partition_size: size at which a partition's oldest records are deleted.
        kept: what a broker keeps at the declared rate.
        load_balancer: limits of the load balancer.
        copier: limits of the collector that copies to another stack, if there is one.
        topics: limits of the program that makes the topics.
        max_traces: undecided traces that one processor holds.
    """

    gateway: TierSize
    processor: TierSize
    brokers: int
    broker: ProgramSize
    partitions: int
    replicas: int
    partition_size: Size
    kept: Size
    load_balancer: ProgramSize
    copier: ProgramSize
    topics: ProgramSize
    max_traces: int

    @property
    def heap(self) -> Size:
        """Heap of a broker."""
        return self.broker.memory.share(BROKER_HEAP)

    @property
    def stateless_programs(self) -> Sequence[ProgramSize]:
        """Limits of the programs that keep no data, one for each replica."""
        tiers = (self.gateway, self.processor)
        return [*(tier.each for tier in tiers for _ in range(tier.replicas)), self.load_balancer]

    @property
    def in_sync(self) -> int:
        """How many copies must have a record before it is acknowledged: all but one."""
        return max(1, self.replicas - 1)


def _processors(rate: int) -> int:
    return max(2, 1 + -(-rate // PROCESSOR_RATE))


def _partitions(rate: int) -> int:
    """Return enough for twice the rate's processors, in dozens: they cannot be added on a live stack."""
    return 6 if rate <= BUSY_RATE else 12 * -(-2 * _processors(rate) // 12)


def undecided_spans(rate: int, sampling: SamplingSection, processors: int) -> float:
    """Return how many spans one processor gets while a trace waits for its decision."""
    return rate * SHARES["traces"] * sampling.decision_wait.seconds / processors


def size_buffer(sizing: SizingSection, kafka: KafkaSection, sampling: SamplingSection) -> BufferSize:
    """Give gateways, Kafka and processors their numbers and limits for the declared rate."""
    rate = declared_rate(sizing)
    small = rate <= SMALL_RATE
    brokers = kafka.brokers or (1 if small else 3)
    collector = ProgramSize(memory=mebibytes(512) if small else gibibytes(2), cpus=1 if small else 2)
    gateways = sizing.gateway.replicas or max(2, 1 + -(-rate // GATEWAY_RATE))
    processors = sizing.processor.replicas or _processors(rate)
    waiting = int(undecided_spans(rate, sampling, processors) * DECISION_SPARE)
    partitions = kafka.partitions or _partitions(rate)
    partition = kafka.retention_size or max(
        LEAST_PARTITION, in_gibibytes(partition_bytes(rate, kafka.retention, partitions))
    )
    kept = _kept(rate, kafka.retention, partitions, partition, _shares(sampling))
    broker = ProgramSize(
        memory=gibibytes(1) if small else gibibytes(4),
        cpus=1 if small else 2,
        volume=with_headroom(kept),
        reserved=BROKER_RESERVED,
    )
    return BufferSize(
        gateway=TierSize(replicas=gateways, each=override(collector, sizing.gateway)),
        processor=TierSize(replicas=processors, each=override(collector, sizing.processor)),
        brokers=brokers,
        broker=override(broker, sizing.kafka),
        partitions=partitions,
        replicas=brokers,
        partition_size=partition,
        kept=kept,
        load_balancer=override(ProgramSize(memory=mebibytes(512), cpus=1), sizing.haproxy),
        copier=collector,
        topics=ProgramSize(memory=mebibytes(384), cpus=1),
        max_traces=sampling.max_traces or max(LEAST_TRACES, waiting),
    )


def segment_age(retention: Duration) -> Duration:
    """Return the age at which Kafka begins another file."""
    return max(LEAST_SEGMENT_AGE, Duration(retention.seconds // SEGMENTS))


def oldest_record(retention: Duration) -> Duration:
    """Return the age of the oldest record that Kafka may still have: it deletes whole files."""
    return Duration(retention.seconds + segment_age(retention).seconds + DELETION.seconds)


def partition_bytes(rate: int, retention: Duration, partitions: int) -> Size:
    """Return the bytes that a partition of the largest topic gets within the retention, with some spare."""
    topic = rate * max(SHARES.values()) * BUFFERED_BYTES * retention.seconds
    return Size(int(topic / partitions * PARTITION_SPARE) or 1)


def in_gibibytes(size: Size) -> Size:
    """Round up to whole GiB."""
    return gibibytes(size.gibibytes_needed)


def _shares(sampling: SamplingSection) -> Sequence[float]:
    """Return the share of the declared rate that each topic gets; tail sampling may keep every trace."""
    return [*SHARES.values(), *([SHARES["traces"]] if sampling.mode == "tail" else [])]


def _kept(rate: int, retention: Duration, partitions: int, partition: Size, shares: Sequence[float]) -> Size:
    """Return what one broker keeps; with as many copies as brokers, each holds everything."""
    by_time = rate * sum(shares) * BUFFERED_BYTES * retention.seconds
    by_size = partition.bytes * partitions * len(shares)
    segments = SEGMENT.bytes * partitions * len(shares)
    return Size(int(min(by_time, by_size)) + segments)
