"""Whether disks and limits of the stores on object storage suffice for the declared rate."""

from __future__ import annotations

from collections.abc import Iterator

from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings.model import SettingsModel
from components.settings.problems import Problem
from components.sizing import SHARES, declared_rate
from components.sizing.buffer import in_gibibytes
from components.sizing.programs import WIRE_BYTES
from components.sizing.stores import SIGNALS, kept_bytes
from components.values.quantities import Size


def starved_stores(settings: SettingsModel) -> Iterator[Problem]:
    """Report what the settings give a store below what the declared rate takes, all being well."""
    if settings.phase < ON_OBJECT_STORAGE:
        return
    yield from _full_disks(settings)
    yield from _refused_load(settings)


def _full_disks(settings: SettingsModel) -> Iterator[Problem]:
    size = settings.store_size
    for store, signal in SIGNALS.items():
        volume = getattr(settings.stores, store).volume
        keeper = next(iter(size.of(store).values()))
        needed = kept_bytes(_stored_rate(settings, signal), signal, keeper.replicas)
        if volume is not None and volume < needed:
            yield Problem(
                key=f"stores.{store}.volume",
                value=str(volume),
                message=f"at the declared rate a replica keeps {in_gibibytes(needed)} while all is well, and "
                "more while the bucket is away; a full disk loses what was accepted. Raise it, or remove it",
            )


def _refused_load(settings: SettingsModel) -> Iterator[Problem]:
    given = settings.stores.mimir.samples_per_second
    samples = int(_stored_rate(settings, "metrics") * SHARES["metrics"])
    if given is not None and given < samples:
        yield _too_slow("stores.mimir.samplesPerSecond", given, f"{samples:,} samples")
    for store, rate in (("tempo", settings.stores.tempo.rate), ("loki", settings.stores.loki.rate)):
        signal = SIGNALS[store]
        come = Size(int(_stored_rate(settings, signal) * SHARES[signal] * WIRE_BYTES))
        if rate is not None and rate < come:
            yield _too_slow(f"stores.{store}.rate", str(rate), f"{come.mebibytes:,}MiB")


def _too_slow(key: str, given: object, come: str) -> Problem:
    return Problem(
        key=key,
        value=given,
        message=f"at the declared rate {come} come in a second; the rest waits in Kafka, and is lost when "
        "kafka.retention ends. Raise it, or remove it",
    )


def _stored_rate(settings: SettingsModel, signal: str) -> float:
    """Return the declared rate, of traces what sampling keeps at least."""
    rate, sampling = declared_rate(settings.sizing), settings.sampling
    sampled = signal == "traces" and sampling.mode != "none"
    return rate * sampling.keep_percent / 100 if sampled else rate
