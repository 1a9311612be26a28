"""The docker package: its settings and its resource types."""

from __future__ import annotations

import threading
from typing import Any

import pulumi_docker

from tests.lab.providers.base import Provider
from tests.lab.providers.docker.client import Connection
from tests.lab.providers.docker.container import Container
from tests.lab.providers.docker.network import Network
from tests.lab.providers.docker.remote_image import RemoteImage
from tests.lab.providers.docker.volume import Volume
from tests.lab.providers.schema import record


class DockerProvider(Provider):
    """Talks to the Docker Engine that ``host`` names; no connection is made before one is needed."""

    def __init__(self) -> None:
        self._connection = Connection()
        cancelled = threading.Event()
        super().__init__(
            "docker",
            "5.2.0",
            record(pulumi_docker.ProviderArgs),
            [
                Container(self._connection, cancelled),
                Network(self._connection),
                RemoteImage(self._connection),
                Volume(self._connection),
            ],
            cancelled,
        )

    def configure(self, config: dict[str, Any]) -> None:
        self._connection.configure(config)
