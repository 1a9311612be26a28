"""A workload's containers on Docker as plain data, in the form in which the provider reads it back."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from components.values.quantities import Duration
from components.workload import Probe, Workload, headless

PROBE_RETRIES = 5
PROBE_TIMEOUT = Duration(5)
START_SECONDS = 180
"""How long a program may take to become ready before the update fails."""


def container_names(workload: Workload) -> list[str]:
    """Name the containers of a workload: its replicas, if it has any, are numbered from 1."""
    if workload.replicas is None:
        return [workload.name]
    return [f"{workload.name}-{number}" for number in range(1, workload.replicas + 1)]


def aliases(name: str, workload: Workload) -> list[str]:
    """Return the name shared by all replicas, and a peer's own as a cluster's name service forms it."""
    return [workload.name, *([f"{name}.{headless(workload.name)}"] if workload.peers else [])]


def own_volume(volume: str, name: str, workload: Workload) -> str:
    """Add a replica's number to its own volume."""
    return volume + name.removeprefix(workload.name)


def cores(cpus: float) -> str:
    """Write a number of cores as the provider reads it back: any other form is a change at each update.

    As Terraform's provider 4.6 has it: with nine zeros the number is round, otherwise they are cut off.
    """
    text = f"{cpus:.9f}"
    return f"{cpus:.1f}" if text.count("0") == 9 else text.rstrip("0")


def environment(workload: Workload, name: str) -> list[str]:
    """Return the variables of one container, with what it is told of itself filled in."""
    replica = {} if workload.replicas is None else {"REPLICA": name}
    if workload.identity:
        replica["REPLICA_NUMBER"] = name.rpartition("-")[2]
    known = {**replica, "DOMAIN": ""}
    variables = {key: _filled(value, known) for key, value in workload.environment.items()} | replica
    if workload.image.go:
        variables["GOMEMLIMIT"] = workload.resources.go_memory
    return [f"{name}={value}" for name, value in sorted(variables.items())]


def temporary(workload: Workload) -> dict[str, str]:
    """Make the program the owner of the directories it writes to; Docker would make it root."""
    owner = f"uid={workload.image.uid},gid={workload.image.gid},mode=0755"
    options = f"rw,noexec,nosuid,size={workload.writable_size.mebibytes}m,{owner}"
    return dict.fromkeys(workload.writable, options)


def ready_command(probe: Probe, *, others_wait: bool) -> Sequence[str] | None:
    """Return the command that says whether the next replica, if any, may follow."""
    if probe.command is None or probe.first_command is None or not others_wait:
        return probe.command
    return ("sh", "-c", f"{shlex.join(probe.command)} || {shlex.join(probe.first_command)}")


def health(probe: Probe, command: Sequence[str] | None) -> dict[str, Any]:
    """Return how the engine checks a container and the provider waits for it; nothing without a command."""
    if command is None:
        return {}
    return {
        "healthcheck": {
            "tests": ["CMD", *command],
            "interval": _go_duration(probe.interval),
            "timeout": _go_duration(PROBE_TIMEOUT),
            "start_period": _go_duration(probe.start_period),
            "retries": PROBE_RETRIES,
        },
        "wait": probe.awaited,
        "wait_timeout": START_SECONDS,
    }


def _filled(value: str, replica: Mapping[str, str]) -> str:
    for name, own in replica.items():
        value = value.replace(f"$({name})", own)
    return value


def _go_duration(duration: Duration) -> str:
    """Write a duration as Docker reads it back, so that a refresh finds no difference."""
    minutes, seconds = divmod(duration.seconds, 60)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
