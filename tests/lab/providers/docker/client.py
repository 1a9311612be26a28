"""The connection to the Docker Engine: made for each operation, errors reported in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException

from tests.lab.providers.errors import ProviderError

DEFAULT_HOST = "unix:///var/run/docker.sock"

_TIMEOUT = 180
"""Seconds that the Docker Engine may take for one answer; removing a large container takes a while."""

_MODELLED = frozenset({"host", "registryAuth", "disableDockerDaemonCheck"})


class Connection:
    """Knows where the Docker Engine is and how to log in to registries."""

    def __init__(self) -> None:
        self._host = DEFAULT_HOST
        self._logins: dict[str, dict[str, str]] = {}

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the provider's settings.

        Raises:
            ProviderError: a setting that the stand-in does not model.
        """
        other = sorted(name for name, value in config.items() if value and name not in _MODELLED)
        if other:
            raise ProviderError(
                f"the lab's stand-in for the docker plugin does not model the provider settings "
                f"{', '.join(other)}; leave them out, or use the official plugin."
            )
        self._host = config.get("host") or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
        self._logins = {
            entry["address"].removeprefix("https://").rstrip("/"): {
                "username": entry.get("username", ""),
                "password": entry.get("password", ""),
            }
            for entry in config.get("registryAuth", [])
        }

    def login(self, registry: str) -> dict[str, str] | None:
        """Name and password for a registry, when the provider's settings have them."""
        return self._logins.get(registry)

    @contextmanager
    def open(self) -> Iterator[docker.APIClient]:
        """A client for one operation.

        Raises:
            ProviderError: the Docker Engine is out of reach, or refused the request.
        """
        try:
            client = docker.APIClient(
                base_url=self._host,
                version="auto",
                timeout=_TIMEOUT,
                use_ssh_client=self._host.startswith("ssh://"),
            )
        except DockerException as error:
            raise ProviderError(
                f"no Docker Engine can be reached at {self._host}: {_cause(error)}. Start it, or set "
                f"docker:host (or DOCKER_HOST) to where one runs."
            ) from error
        try:
            yield client
        except APIError as error:
            raise ProviderError(f"the Docker Engine at {self._host} refused: {reason(error)}") from error
        except requests.RequestException as error:
            raise ProviderError(
                f"the Docker Engine at {self._host} stopped answering: {_cause(error)}"
            ) from error
        finally:
            client.close()


def _cause(error: BaseException) -> str:
    """The operating system's word for what failed, where there is one."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.strerror:
            return link.strerror
        link = link.__cause__ or link.__context__
    return str(error)


def reason(error: APIError) -> str:
    """What the Docker Engine itself said."""
    return str(error.explanation or error)
