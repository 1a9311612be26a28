"""What the engine's state has and somebody has removed from a Docker Engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import docker
from docker.errors import NotFound

from ops.inventory import CONTAINER, NETWORK, VOLUME


def removed_from_docker(client: docker.DockerClient, resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give the URNs of containers, volumes and networks that are no longer there.

    Args:
        client: of the stack's engine.
        resources: of an exported state.
    """
    look_up: Mapping[str, Callable[[str], object]] = {
        CONTAINER: client.api.inspect_container,
        VOLUME: client.api.inspect_volume,
        NETWORK: client.api.inspect_network,
    }
    return [
        str(one["urn"])
        for one in resources
        if one.get("type") in look_up
        and not one.get("delete")
        and not _found(look_up[one["type"]], str(one["id"]))
    ]


def _found(look_up: Callable[[str], object], identifier: str) -> bool:
    try:
        look_up(identifier)
    except NotFound:
        return False
    return True
