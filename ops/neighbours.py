"""Other stacks on the same Docker Engine: they would share names, and volumes that ``destroy`` deletes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from components.sections.phase_numbers import ON_KUBERNETES
from ops.errors import OpsError
from ops.inventory import take_inventory
from ops.session import Session

PROVIDER = "pulumi:providers:docker"


def refuse_neighbours(session: Session) -> None:
    """Refuse to bring a stack up on an engine where another one of the same backend has its data.

    In a backend that several machines share, a local socket is on each of them another engine.

    Raises:
        OpsError: another one has, or the engine does not tell.
    """
    stack = session.stack
    is_shared = session.state.home is None and stack.docker_host.startswith("unix://")
    if stack.settings.phase >= ON_KUBERNETES or is_shared:
        return
    for name in session.pulumi.names():
        found = [] if name == stack.name else session.pulumi.exported(name)
        volumes = take_inventory(found).data_volumes
        if volumes and _host(found) == stack.docker_host:
            raise OpsError(
                f"the stack {name} has its data on the same Docker Engine, {stack.docker_host}, in volumes "
                f"with the names that {stack.name} would use: {', '.join(volumes)}",
                f"make destroy STACK={name} first, or give {stack.name} an engine of its own: docker.host in "
                "its file",
            )


def _host(resources: Iterable[Mapping[str, Any]]) -> str | None:
    return next((one["inputs"].get("host") for one in resources if one.get("type") == PROVIDER), None)
