"""The kubernetes package: its settings, and where its objects go."""

from __future__ import annotations

import os
from typing import Any

import pulumi_kubernetes

from tests.lab.providers.base import Provider
from tests.lab.providers.kubernetes.awaits import Awaits
from tests.lab.providers.kubernetes.backend import Backend
from tests.lab.providers.kubernetes.cluster import Cluster
from tests.lab.providers.kubernetes.host import Host
from tests.lab.providers.kubernetes.live import Live
from tests.lab.providers.kubernetes.objects import Objects
from tests.lab.providers.kubernetes.rendered import Rendered
from tests.lab.providers.kubernetes.settings import Settings, read
from tests.lab.providers.schema import record


class KubernetesProvider(Provider):
    """Talks to the cluster of a kubeconfig, or writes files; nothing is contacted before it is needed."""

    def __init__(self) -> None:
        super().__init__("kubernetes", "4.34.2", record(pulumi_kubernetes.ProviderArgs), [])
        self.host = Host()
        self.settings = Settings()
        self._backend: Backend | None = None

    def configure(self, config: dict[str, Any]) -> None:
        self.settings = read(config, os.environ)
        self._backend = self._chosen()

    @property
    def backend(self) -> Backend:
        """Where the objects go."""
        self._backend = self._backend or self._chosen()
        return self._backend

    def _chosen(self) -> Backend:
        if self.settings.render:
            return Rendered(self.settings.render, self.host)
        cluster = Cluster(self.settings)
        objects = Objects(cluster)
        awaits = Awaits(objects, self.host, self.cancelled)
        return Live(self.settings, cluster, objects, awaits, self.cancelled)
