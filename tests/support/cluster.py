"""A Kubernetes cluster for tests: the lab's, which ``make cluster`` starts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.cluster import kubectl, layout, lifecycle
from tests.lab.errors import LabError
from tests.support.lab import missing


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running cluster.

    Attributes:
        kubeconfig: the administrator's.
        context: in it.
    """

    kubeconfig: Path
    context: str

    @property
    def provider(self) -> dict[str, str]:
        """Settings that point the kubernetes provider to this cluster."""
        return {"kubeconfig": str(self.kubeconfig), "context": self.context}

    def kubectl(self, *arguments: str) -> str:
        """What a command of kubectl prints.

        Raises:
            LabError: it failed.
        """
        return kubectl.run(*arguments)

    def get(self, *arguments: str) -> dict[str, Any]:
        """An object, or a list of them, as the API server has it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "--output=json"))
        return found


def cluster() -> Cluster:
    """The running cluster; without one, tests are skipped or, under CI, fail."""
    try:
        up = lifecycle.is_up()
    except LabError as error:
        missing(str(error))
    if not up:
        missing("no Kubernetes cluster runs here; start one with: make cluster")
    return Cluster(kubeconfig=layout.kubeconfig(), context=layout.CONTEXT)
