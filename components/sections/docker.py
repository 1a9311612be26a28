"""Settings of the Docker Engine of phases 1 and 2."""

from __future__ import annotations

from pydantic.dataclasses import dataclass

from components.sections.forms import (
    STRICT,
    DockerHost,
    HostName,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DockerSection:
    """The Docker Engine of phases 1 and 2.

    Attributes:
        host: ``unix://`` socket or ``ssh://`` address; by default the local socket.
        advertised_host: name by which others reach the published ports, for the outputs; by default the
            bind addresses.
    """

    host: DockerHost = "unix:///var/run/docker.sock"
    advertised_host: HostName | None = None
