"""How much disk the data takes, compared with what the settings give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from components.settings import Settings
from ops.docker.engine import Engine
from ops.docker.names import BROKER_VOLUME, PROGRAM_OF_VOLUME
from ops.health.model import Reading
from ops.units import amount

AREA = "disk"
COUNT_TIMEOUT = 300
"""Seconds that the engine may take to count every file of every volume."""

VOLUME_LIMIT = 0.9
FREE_LIMIT = 0.1
"""Free share of the disk below which databases are about to stop."""


def disk_readings(engine: Engine, settings: Settings, volumes: Sequence[str]) -> Iterator[Reading]:
    """Read the size of every data volume, and the free space where they are stored."""
    sizes = volume_sizes(engine)
    for volume in volumes:
        yield _volume_reading(volume, sizes.get(volume), _budget(settings, volume))
    yield from _free_reading(engine)


def volume_sizes(engine: Engine) -> Mapping[str, int]:
    """Bytes by volume; the engine counts every file, which takes a while on large volumes."""
    return {
        volume["Name"]: int(volume["UsageData"]["Size"])
        for volume in engine.client.df().get("Volumes") or []
        if (volume.get("UsageData") or {}).get("Size", -1) >= 0
    }


def _budget(settings: Settings, volume: str) -> int | None:
    """Bytes that the sizing gives a data volume; None for one that it does not cover."""
    if volume.startswith(BROKER_VOLUME):
        return settings.buffer.broker.volume.bytes
    program = PROGRAM_OF_VOLUME.get(volume)
    return None if program is None else settings.size.programs[program].volume.bytes


def _volume_reading(volume: str, size: int | None, budget: int | None) -> Reading:
    if size is None:
        return Reading(area=AREA, name=volume, status="unknown", found="no such volume")
    if budget is None:
        return Reading(area=AREA, name=volume, found=amount(size))
    found = f"{amount(size)} of {amount(budget)} ({size / budget:.0%})"
    if size >= VOLUME_LIMIT * budget:
        advice = "shorten retention, or raise the program's volume in the stack's file"
        return Reading(area=AREA, name=volume, status="degraded", found=found, advice=advice)
    return Reading(area=AREA, name=volume, found=found)


def _free_reading(engine: Engine) -> Iterator[Reading]:
    usage = engine.disk()
    if usage is None:
        return
    found = f"{amount(usage.free)} free of {amount(usage.total)}"
    if usage.free < FREE_LIMIT * usage.total:
        advice = "docker system df shows what takes it; shorten retention or use a larger disk"
        yield Reading(area=AREA, name=engine.data_root, status="degraded", found=found, advice=advice)
    else:
        yield Reading(area=AREA, name=engine.data_root, found=found)
