"""From events per second to replicas, memory and volumes of the stores of phase 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from components.sections.postgres import PostgresSection
from components.sections.sizing import ProgramSizing, SizingSection
from components.sections.stores import Shape, StoresSection
from components.sizing.programs import (
    BUSY_RATE,
    NO_VOLUME,
    SHARES,
    SMALL_RATE,
    SMALLEST_VOLUME,
    STORED_BYTES,
    WIRE_BYTES,
    ProgramSize,
    TierSize,
    declared_rate,
    override,
    with_headroom,
)
from components.sizing.store_parts import PARTS, StorePart
from components.values.quantities import Size, gibibytes, mebibytes

COPIES = 3
"""Replicas that hold each event until it is in the bucket: one may be lost and one restarted meanwhile."""

SPLIT_ABOVE = 50_000
"""Events per second up to which one binary with all parts is used. Tempo's documentation states 55,000 to
80,000 spans per second for one process; three of them write each span three times."""

PART_RATE = 50_000
"""Events of its signal per second assumed for one replica of a split part, copies included."""

SERIES_PER_SAMPLE = 60
"""Series behind one sample per second: applications send each about once a minute."""

SERIES_SPARE = 1.3
"""Room for more series than expected: programs that restart leave their old ones in memory for hours."""

OWN_SERIES = 30_000
"""Series of the stack's own programs, as counted under preset ``small``."""

BYTES_PER_SERIES = 2_500_000_000 // 300_000
"""Memory of one series in a replica, from Mimir's capacity documentation."""

SERIES_MEMORY = 0.8
"""Fraction of a replica's memory that series may take."""

KEEPERS_RESERVED = 0.75
"""Fraction of its memory guaranteed to a replica with data: what is not yet in the bucket fills it."""

HOUR = 3600
KEPT_SECONDS: Mapping[str, int] = {"traces": 1 * HOUR, "metrics": 15 * HOUR, "logs": 2 * HOUR}
"""Age at which an event has left a replica's disk: Tempo's block and its grace, Mimir's blocks of 2 hours and
the 13 hours that they stay readable, Loki's chunks and the log written ahead of them."""

BUCKET_OUTAGE: Mapping[str, int] = {"traces": 4 * HOUR, "metrics": 0, "logs": 0}
"""Seconds that the bucket may be down before a replica's disk is full, on top of ``KEPT_SECONDS``: Tempo
loses spans that it has accepted when its disk is full. Mimir's disk has room for more than that anyway, and
Loki keeps its chunks in memory, which runs out before its disk does."""

SIGNALS: Mapping[str, str] = {"tempo": "traces", "mimir": "metrics", "loki": "logs"}

LEAST_REPLICAS = 2
"""Replicas of what has no data of its own."""


@dataclass(frozen=True, kw_only=True)
class StoresSize:
    """Size of the stores.

    Attributes:
        shape: how each store is divided.
        parts: workload -> replicas and limits of one.
        series: series that Mimir accepts.
        samples_per_second: samples that Mimir accepts.
        trace_bytes_per_second: bytes of spans that one replica of Tempo accepts.
        log_bytes_per_second: bytes that Loki accepts.
        grafana: limits of one replica of Grafana.
        postgres: limits of the database.
        dumper: limits of the program that dumps it.
        uploader: limits of the one beside that, in the same pod.
        agent: limits of the Prometheus agent that scrapes.
        query_gateway: what passes queries on to the stores.
    """

    shape: Shape
    parts: Mapping[str, TierSize]
    series: int
    samples_per_second: int
    trace_bytes_per_second: Size
    log_bytes_per_second: Size
    grafana: ProgramSize
    postgres: ProgramSize
    dumper: ProgramSize
    uploader: ProgramSize
    agent: ProgramSize
    query_gateway: TierSize

    def of(self, store: str) -> Mapping[str, TierSize]:
        """Return the workloads of one store, the one with the data first."""
        return {part.name: self.parts[part.name] for part in PARTS[store][self.shape]}

    @property
    def keepers(self) -> Mapping[str, TierSize]:
        """The workloads with the data, one for each store."""
        names = (parts[self.shape][0].name for parts in PARTS.values())
        return {name: self.parts[name] for name in names}


def size_stores(sizing: SizingSection, stores: StoresSection, postgres: PostgresSection) -> StoresSize:
    """Give the stores their shape, numbers and limits for the declared rate."""
    rate = declared_rate(sizing)
    shape: Shape = stores.shape or ("single" if rate <= SPLIT_ABOVE else "split")
    parts: dict[str, TierSize] = {}
    for store, signal in SIGNALS.items():
        wanted: ProgramSizing = getattr(stores, store)
        first, *others = PARTS[store][shape]
        busy = -(-int(rate * SHARES[signal]) * COPIES // PART_RATE)
        keeper = override(_keeper(rate, signal, shape), wanted)
        parts[first.name] = TierSize(replicas=max(COPIES, busy), each=keeper)
        each = override(ProgramSize(memory=gibibytes(2), cpus=2, volume=_scratch(rate, signal)), stores.parts)
        for part in others:
            parts[part.name] = TierSize(replicas=_replicas(part, busy), each=each)
    mimir = stores.mimir
    samples = int(rate * SHARES["metrics"])
    unset = _keeper(rate, "metrics", shape)
    parts["mimir"], series = _for_series(parts["mimir"], unset, samples, mimir.max_series)
    small = rate <= SMALL_RATE
    return StoresSize(
        shape=shape,
        parts=parts,
        series=series,
        samples_per_second=mimir.samples_per_second or max(50_000, 5 * samples),
        trace_bytes_per_second=stores.tempo.rate or _accepted(rate, "traces"),
        log_bytes_per_second=stores.loki.rate or _accepted(rate, "logs"),
        grafana=_grafana(sizing, small=small),
        postgres=override(ProgramSize(memory=mebibytes(512), cpus=0.5, volume=SMALLEST_VOLUME), postgres),
        dumper=ProgramSize(memory=mebibytes(128), cpus=0.25, volume=postgres.backups_volume),
        uploader=ProgramSize(memory=mebibytes(256), cpus=0.5),
        agent=override(
            ProgramSize(
                memory=mebibytes(512) if small else gibibytes(2),
                cpus=0.5 if small else 1,
                volume=SMALLEST_VOLUME,
            ),
            sizing.prometheus,
        ),
        query_gateway=TierSize(
            replicas=LEAST_REPLICAS,
            each=override(ProgramSize(memory=mebibytes(128), cpus=0.5), sizing.haproxy),
        ),
    )


def _grafana(sizing: SizingSection, *, small: bool) -> ProgramSize:
    """Size a replica of Grafana: what several write is in their database, so none has a volume."""
    size = ProgramSize(memory=gibibytes(1 if small else 2), cpus=0.5 if small else 1)
    return replace(override(size, sizing.grafana), volume=NO_VOLUME)


def _keeper(rate: int, signal: str, shape: Shape) -> ProgramSize:
    if rate <= SMALL_RATE:
        memory, cpus = gibibytes(1), 1.0
    elif rate <= BUSY_RATE:
        memory, cpus = gibibytes(4), 2.0
    else:
        memory, cpus = gibibytes(8), 4.0
    kept = disk_bytes(signal) * KEPT_SECONDS[signal] + STORED_BYTES[signal] * BUCKET_OUTAGE[signal]
    volume = with_headroom(Size(int(rate * SHARES[signal] * kept)))
    if shape == "single":
        volume = Size(volume.bytes + _scratch(rate, signal).bytes)
    return ProgramSize(memory=memory, cpus=cpus, volume=volume, reserved=KEEPERS_RESERVED)


def _for_series(mimir: TierSize, unset: ProgramSize, samples: int, most: int | None) -> tuple[TierSize, int]:
    """Give Mimir enough replicas for all series, and return the number that these hold in total.

    Memory beyond that of ``unset``, which the sizing gives, is for more series: fewer replicas would have to
    be taken out of the ring one at a time.
    """
    wanted = most or int((samples * SERIES_PER_SAMPLE + OWN_SERIES) * SERIES_SPARE)
    sizes = [mimir.each] if most else [mimir.each, unset]
    replicas = max(mimir.replicas, *(-(-wanted * COPIES // _series_of_one(each)) for each in sizes))
    return replace(mimir, replicas=replicas), most or series_held(mimir.each, replicas)


def series_held(each: ProgramSize, replicas: int) -> int:
    """Return the series, each counted once, that so many replicas of Mimir hold."""
    return _series_of_one(each) * replicas // COPIES


def _series_of_one(each: ProgramSize) -> int:
    return int(each.memory.bytes * SERIES_MEMORY) // BYTES_PER_SERIES


def disk_bytes(signal: str) -> int:
    """Return the bytes of one event on a replica's disk: as received and as stored, both at once."""
    return STORED_BYTES[signal] + (WIRE_BYTES if signal != "metrics" else 20)


def kept_bytes(rate: float, signal: str, replicas: int) -> Size:
    """Return what one of several replicas has on its disk when all is well."""
    events = rate * SHARES[signal] * COPIES / replicas
    return Size(int(events * disk_bytes(signal) * KEPT_SECONDS[signal]))


def _scratch(rate: int, signal: str) -> Size:
    """Return the disk for what is read from the bucket and written back.

    Mimir compacts on disk, in one replica, a tenant's day of blocks before and after; Tempo compacts as a
    stream, Loki only its index.
    """
    if signal != "metrics":
        return SMALLEST_VOLUME
    day = rate * SHARES[signal] * STORED_BYTES[signal] * 24 * HOUR
    return with_headroom(Size(int(2 * day)))


def _accepted(rate: int, signal: str) -> Size:
    """Return twice what the declared rate brings, at least 10 MiB/s."""
    return max(Size(10 * 2**20), Size(int(2 * rate * SHARES[signal] * WIRE_BYTES)))


def _replicas(part: StorePart, busy: int) -> int:
    return max(COPIES if "backend" in part.roles else LEAST_REPLICAS, busy // 2)
