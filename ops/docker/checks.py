"""What must hold on a Docker Engine before a stack is brought up there: what was found, and what to do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from components.settings import Settings
from ops.docker.engine import Engine
from ops.docker.names import NETWORK
from ops.docker.ports import (
    Holder,
    Published,
    is_elsewhere,
    is_taken,
    listening_program,
    publishing_containers,
)
from ops.finding import Finding
from ops.units import amount

IMAGES_DISK = 4 * 2**30
"""Bytes that the images of phase 1 take unpacked, rounded up."""
STARTING_DISK = 2 * 2**30
"""Bytes below which databases soon stop accepting data."""

MEMINFO = Path("/proc/meminfo")


def check_engine(engine: Engine, environ: Mapping[str, str] = os.environ) -> Finding:
    """Which Docker Engine answers, and how large is its machine?"""
    found = f"{engine.version} at {engine.host}, {amount(engine.memory)} of memory"
    chosen = {name: environ.get(name, engine.host) for name in ("DOCKER_HOST", "DOCKER_CONTEXT")}
    others = [f"{name} is {other}" for name, other in chosen.items() if other != engine.host]
    if others:
        advice = f"{', '.join(others)}, which the stack does not follow: set docker.host in its file"
        return Finding(name="Docker Engine", status="warn", found=found, advice=advice)
    return Finding(name="Docker Engine", found=found)


def own_containers(engine: Engine) -> set[str]:
    """Running containers of a stack: those in its network."""
    found = engine.client.api.containers(filters={"network": NETWORK})
    return {str(one["Names"][0]).lstrip("/") for one in found}


def check_ports(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """Are the ports that the stack publishes free, or already its own?"""
    publishing, own = publishing_containers(engine.client), own_containers(engine)
    for key, (address, port) in settings.published_ports().items():
        name = f"port {port}" if ip_address(address).is_loopback else f"port {address}:{port}"
        holder = port_holder(address, port, publishing, look_here=engine.mine)
        if engine.mine and is_elsewhere(address):
            advice = f"set {key.rpartition('.')[0]}.bindAddress to one that `ip -brief address` lists"
            yield Finding(name=name, status="fail", found="no address of this machine", advice=advice)
        elif holder is None:
            yield Finding(name=name, found="free")
        elif holder.container in own:
            yield Finding(name=name, found=f"this stack's own {holder}")
        else:
            advice = f"stop it, or set {key} in the stack's file to a free port"
            yield Finding(name=name, status="fail", found=f"taken by {holder}", advice=advice)


def port_holder(
    address: str, port: int, publishing: Iterable[Published], *, look_here: bool
) -> Holder | None:
    """Find what holds a port: a container of the engine or, on this machine, any program."""
    for one in publishing:
        if one.takes(address, port):
            return Holder(container=one.container)
    if look_here and is_taken(address, port):
        return Holder(program=listening_program(port))
    return None


def check_memory(settings: Settings, engine: Engine, *, running: bool, meminfo: Path = MEMINFO) -> Finding:
    """Is there memory for what the programs reserve, and for the most that they may take?"""
    programs = settings.programs
    limits = sum(program.memory.bytes for program in programs)
    reserved = sum(program.reserved_memory.bytes for program in programs)
    available = (_available_memory(meminfo) if engine.mine else None) or engine.memory
    found = f"{amount(available)} of {amount(engine.memory)} available; the stack may take {amount(limits)}"
    if available < reserved and not running:
        advice = f"free at least {amount(reserved)}, or lower sizing in the stack's file"
        return Finding(name="memory", status="fail", found=found, advice=advice)
    if engine.memory < limits:
        advice = "under full load programs can be killed; lower sizing or use a larger machine"
        return Finding(name="memory", status="warn", found=found, advice=advice)
    return Finding(name="memory", found=found)


def check_disk(settings: Settings, engine: Engine, missing_images: Sequence[str]) -> Finding:
    """Is there enough disk for the images and for the data that the settings declare?"""
    disk = engine.disk()
    if disk is None:
        return Finding(name="disk", found=f"{engine.data_root}: not visible from here")
    needed = STARTING_DISK + (IMAGES_DISK if missing_images else 0)
    volumes = sum(program.volume.bytes for program in settings.stateful_programs)
    free = disk.free
    found = f"{amount(free)} free at {engine.data_root}"
    if free < needed:
        advice = f"free at least {amount(needed)} (docker system df shows what takes it)"
        return Finding(name="disk", status="fail", found=found, advice=advice)
    if free < volumes:
        rate = settings.size.events_per_second
        return Finding(
            name="disk",
            status="warn",
            found=f"{found}; {rate:,} events/s for the whole retention take up to {amount(volumes)}",
            advice="enough to start; before sustained load lower sizing or retention, or use a larger disk",
        )
    return Finding(name="disk", found=found)


def _available_memory(meminfo: Path) -> int | None:
    """Memory that this machine can give; None where it does not say, as on macOS."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
