"""From a declared rate and retention to a phase, storage, machines and a monthly bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.buckets.tiering import is_tiered
from components.cost.machines import cheapest
from components.cost.prices import Machine, Prices
from components.cost.programs import Program, programs_of
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE
from components.sections.stack import RetentionSection
from components.sections.storage import AwsStorage
from components.sizing import SHARES, stored_bytes
from components.sizing.buffer import BUFFERED_BYTES
from components.sizing.programs import CEILINGS
from components.sizing.stores import COPIES
from components.values.quantities import DAY, Duration, Size, days, gibibytes

MONTH = days(30)
HOURS_PER_MONTH = 730
GIB = 2**30

LONG_RETENTION = days(90)
"""Retention above which volumes cost more than buckets: the guide's trigger for phase 4."""

LARGEST_VOLUME = Size(16 * 2**40)
"""Largest single volume available."""

NODE_DISK = gibibytes(50)
"""System, images and scratch of one machine."""

BUCKET_COPIES: Mapping[str, int] = {"traces": 1, "metrics": 1, "logs": COPIES}
"""Copies of one event in its bucket. Compaction in Tempo and Mimir leaves one; Loki does not compact chunks,
and those of its three replicas are one object only if they begin and end alike, which they seldom do."""

CHUNK = Size(2**20)
"""Mean size of an object when it is first written."""

REWRITES = 3
"""How often data is written in total: first, and by compaction; logs by each replica."""

READS_PER_WRITE = 10
"""Objects read, by queries and by compaction, for each one that is written."""

OTHER_ZONE = 2 / 3
"""Share of connections that end in another one of three zones than they begin in."""


@dataclass(frozen=True, kw_only=True)
class Guide:
    """A line of the guide's cost table.

    Attributes:
        scale: its name.
        up_to: events per second.
        infrastructure: what it runs on.
        least: per month, in USD.
        most: per month, in USD.
    """

    scale: str
    up_to: int
    infrastructure: str
    least: int
    most: int


GUIDE: tuple[Guide, ...] = (
    Guide(scale="small", up_to=10_000, infrastructure="1 server (8 CPU, 16 GB)", least=50, most=150),
    Guide(scale="medium", up_to=50_000, infrastructure="3-5 servers", least=300, most=800),
    Guide(scale="large", up_to=200_000, infrastructure="10-20 nodes", least=1_500, most=4_000),
)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What one signal keeps, after sampling, without copies or free space.

    Attributes:
        signal: traces, metrics or logs.
        retention: how long.
        day: bytes of a day.
        month: bytes of 30 days.
        kept: bytes once the retention is full.
    """

    signal: str
    retention: Duration
    day: Size
    month: Size
    kept: Size


@dataclass(frozen=True, kw_only=True)
class Cost:
    """A line of the monthly bill.

    Attributes:
        item: what is paid for.
        amount: how much of it, in words.
        price: per month, in the currency of the price table.
    """

    item: str
    amount: str
    price: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A rate and a retention, worked out.

    Attributes:
        rate: events per second.
        phase: phase of the stack.
        programs: what runs.
        stored: what is kept.
        machine: cheapest machine that fits; none when no machine in the table holds phase 1 or 2.
        machines: how many.
        costs: the monthly bill.
        guide: the guide's line for this rate; none above its table.
    """

    rate: int
    phase: int
    programs: Sequence[Program]
    stored: Sequence[Stored]
    machine: Machine | None
    machines: int
    costs: Sequence[Cost]
    guide: Guide | None

    @property
    def total(self) -> float:
        """The monthly bill, in the currency of the price table."""
        return sum(cost.price for cost in self.costs)


def fitting_phase(rate: int, retention: RetentionSection) -> int:
    """Find the first phase meant for a rate; object storage for what is kept long, or fits no volume."""
    kept_long = max(retention.traces, retention.metrics, retention.logs) > LONG_RETENTION
    node = programs_of(1, rate, retention)
    if kept_long or max(program.volume for program in node) > LARGEST_VOLUME.bytes:
        return ON_OBJECT_STORAGE
    return next((phase for phase, ceiling in CEILINGS.items() if rate <= ceiling), ON_KUBERNETES)


def plan(
    rate: int, retention: RetentionSection, prices: Prices, *, phase: int | None = None, kept: float = 1.0
) -> Plan:
    """Work out a rate.

    Args:
        rate: events per second.
        retention: how long each signal is kept.
        prices: the price table.
        phase: another one than the first that fits.
        kept: fraction of the traces that sampling keeps. It shrinks what is stored, and so phase 4's buckets,
            and what crosses zones; volumes are sized for all traces, as the stack's are, since tail sampling
            may keep them all.
    """
    phase = phase or fitting_phase(rate, retention)
    programs = programs_of(phase, rate, retention)
    stored = [_stored(signal, rate, retention, kept) for signal in SHARES]
    machine, count = cheapest(programs, prices.machines, cluster=phase >= ON_KUBERNETES)
    costs = [*_machine_costs(machine, count), *_volume_costs(programs, count, prices)]
    if phase >= ON_KUBERNETES:
        costs += _cluster_costs(rate * _crossings(phase, programs, kept), prices)
    if phase >= ON_OBJECT_STORAGE:
        costs += _bucket_costs(stored, prices)
    return Plan(
        rate=rate,
        phase=phase,
        programs=programs,
        stored=stored,
        machine=machine,
        machines=count,
        costs=costs,
        guide=next((line for line in GUIDE if rate <= line.up_to), None),
    )


def _stored(signal: str, rate: int, retention: RetentionSection, kept: float) -> Stored:
    part = kept if signal == "traces" else 1.0
    age: Duration = getattr(retention, signal)

    def over(time: Duration) -> Size:
        return Size(int(stored_bytes(signal, rate, time).bytes * part))

    return Stored(signal=signal, retention=age, day=over(DAY), month=over(MONTH), kept=over(age))


def _machine_costs(machine: Machine | None, count: int) -> list[Cost]:
    if machine is None:
        return []
    return [
        Cost(
            item="machines",
            amount=f"{count} x {machine.name} ({machine.cpus} CPU, {machine.memory})",
            price=count * machine.per_hour * HOURS_PER_MONTH,
        )
    ]


def _volume_costs(programs: Sequence[Program], machines: int, prices: Prices) -> list[Cost]:
    gib = (
        sum(program.replicas * program.volume for program in programs) / GIB
        + machines * NODE_DISK.bytes / GIB
    )
    return [Cost(item="volumes", amount=f"{gib:,.0f} GiB", price=gib * prices.block_storage_per_gib_month)]


def _crossings(phase: int, programs: Sequence[Program], kept: float) -> float:
    """Return how often an event crosses zones on its way into the stores, on average.

    Tail sampling, the default, sends the traces that it keeps through Kafka a second time.
    """
    brokers = next(program.replicas for program in programs if program.name == "kafka")
    kafka = OTHER_ZONE + brokers - 1 + OTHER_ZONE
    stores = OTHER_ZONE + (COPIES - 1 if phase >= ON_OBJECT_STORAGE else 0)
    traces = SHARES["traces"]
    return kafka * (1 + traces * kept) + stores * (1 - traces + traces * kept)


def _cluster_costs(crossings: float, prices: Prices) -> list[Cost]:
    crossing = crossings * BUFFERED_BYTES * HOURS_PER_MONTH * 3600 / GIB
    return [
        Cost(item="cluster", amount="1 control plane", price=prices.cluster_per_hour * HOURS_PER_MONTH),
        Cost(
            item="load balancer",
            amount="1, without what goes through it",
            price=prices.load_balancer_per_hour * HOURS_PER_MONTH,
        ),
        Cost(
            item="between zones",
            amount=f"{crossing:,.0f} GiB a month",
            price=crossing * prices.cross_zone_per_gib,
        ),
    ]


def _bucket_costs(stored: Sequence[Stored], prices: Prices) -> list[Cost]:
    table, after = prices.object_storage, AwsStorage().infrequent_access_after
    standard = infrequent = 0.0
    for signal in stored:
        tiered = is_tiered(after, signal.retention)
        part = 1 - after.seconds / signal.retention.seconds if tiered else 0.0
        kept = signal.kept.bytes * BUCKET_COPIES[signal.signal] / GIB
        infrequent += kept * part
        standard += kept * (1 - part)
    puts = sum(signal.month.bytes for signal in stored) * REWRITES / CHUNK.bytes
    gets = puts * READS_PER_WRITE
    # Nothing merges Loki's chunks. Tempo and Mimir merge theirs into few before they are old enough to move.
    logs = next(one for one in stored if one.signal == "logs")
    chunks = logs.month.bytes * BUCKET_COPIES["logs"] / CHUNK.bytes
    moves = chunks if is_tiered(after, logs.retention) else 0.0
    return [
        Cost(
            item="buckets, standard",
            amount=f"{standard:,.0f} GiB",
            price=standard * table.standard_per_gib_month,
        ),
        Cost(
            item="buckets, infrequent access",
            amount=f"{infrequent:,.0f} GiB",
            price=infrequent * table.infrequent_per_gib_month,
        ),
        Cost(
            item="requests to buckets",
            amount=f"{puts:,.0f} written, {gets:,.0f} read",
            price=(puts * table.per_thousand_puts + gets * table.per_thousand_gets) / 1000,
        ),
        Cost(
            item="moves to infrequent access",
            amount=f"{moves:,.0f} objects",
            price=moves * table.per_thousand_transitions / 1000,
        ),
    ]
