"""How a stack's containers are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import docker
from docker.errors import NotFound

from ops.health.model import Reading
from ops.health.programs import AREA, is_down, is_gone
from ops.inventory import Inventory


def container_readings(client: docker.DockerClient, inventory: Inventory, *, stack: str) -> Iterator[Reading]:
    """Read the state of every program's container, and the health that Docker probes.

    Args:
        client: of the stack's engine.
        inventory: of the stack.
        stack: its name.
    """
    if not inventory.programs:
        yield is_down(stack)
    for name in inventory.programs:
        reading = _container_reading(client, name, probe=inventory.probes.get(name, name))
        yield reading or is_gone(name, "no such container", stack)


def _container_reading(client: docker.DockerClient, name: str, probe: str) -> Reading | None:
    state = state_of(client, name)
    if state is None:
        return None
    if state["Status"] != "running":
        start = f"docker logs {name} says why; docker start {name}"
        advice = f"docker unpause {name}" if state["Status"] == "paused" else start
        return Reading(area=AREA, name=name, status="degraded", found=_stopped(state), advice=advice)
    health = (state_of(client, probe) or {}).get("Health", {}).get("Status", "not probed")
    if health != "healthy":
        advice = f"docker logs {name}"
        if health == "unhealthy":
            advice += f"; docker restart {name} if it hangs, which Docker does not do"
        return Reading(area=AREA, name=name, status="degraded", found=f"running, {health}", advice=advice)
    return Reading(area=AREA, name=name, found="running, healthy")


def state_of(client: docker.DockerClient, name: str) -> dict[str, Any] | None:
    """Give what the engine says of a container's state; None where there is none."""
    try:
        state: dict[str, Any] = client.containers.get(name).attrs["State"]
    except NotFound:
        return None
    return state


def _stopped(state: Mapping[str, Any]) -> str:
    killed = ", killed for lack of memory" if state.get("OOMKilled") else ""
    code = f" with status {state['ExitCode']}" if state["Status"] == "exited" else ""
    return f"{state['Status']}{code}{killed}"
