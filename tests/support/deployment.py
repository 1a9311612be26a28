"""A stack in a namespace of a cluster, whose settings the tests change and which leaves nothing behind."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.cluster import Cluster
from tests.support.kubernetes_site import ClusterSite
from tests.support.namespaces import await_gone, let_go
from tests.support.stack import Stack
from tests.support.steady import settled

CLAIM = "persistentvolumeclaim/"
PASSING = {"events", "pods", "endpoints", "endpointslices", "replicasets", "controllerrevisions"}
"""Kinds of objects that are removed with others a moment later, or by themselves."""
KUBERNETES_OWN = {"configmap/kube-root-ca.crt", "serviceaccount/default"}


@dataclass(frozen=True, kw_only=True)
class ClusterDeployment:
    """The stack under test, and the cluster it is in.

    Attributes:
        stack: the stack.
        cluster: the cluster.
        original: the settings that it started with.
        namespace: where it is.
        given: objects in its namespace that are not its own.
    """

    stack: Stack
    cluster: Cluster
    original: Mapping[str, Any]
    namespace: str
    given: frozenset[str] = frozenset()

    @property
    def site(self) -> ClusterSite:
        """Its addresses as they are now."""
        return ClusterSite(cluster=self.cluster, namespace=self.namespace)

    def settings(self, **sections: Mapping[str, Any] | str) -> dict[str, Any]:
        """Give the original settings with keys of some sections changed."""
        given: dict[str, Any] = copy.deepcopy(dict(self.original))
        for name, section in sections.items():
            given[name] = section if isinstance(section, str) else {**given.get(name, {}), **section}
        return given

    def become(self, **sections: Mapping[str, Any] | str) -> None:
        """Bring the stack up with the original settings except for keys of some sections.

        It is up when its autoscalers have started and its processors share what is in Kafka. Another Kafka is
        another stack, as is another class of volumes: neither can be changed later.
        """
        wanted = self.settings(**sections)
        if _for_good(wanted) != _for_good(self.stack.config):
            self.remove()
        if wanted != self.stack.config or not self.stack.resources():
            self.stack.config = wanted
            self.stack.up()
        self._await_least()
        settled(self.site, len(self.site.pods("otel-processor")))

    def is_another(self) -> bool:
        """Tell whether a test has removed it, or left it with other brokers or volumes: elsewhere."""
        return not self.site.services or _for_good(self.stack.config) != _for_good(self.original)

    def _await_least(self) -> None:
        """Wait until the autoscalers have scaled everything down to the minimum that they allow."""
        for scaler in self.cluster.get("hpa", f"--namespace={self.namespace}")["items"]:
            name, least = scaler["spec"]["scaleTargetRef"]["name"], scaler["spec"]["minReplicas"]
            self.site.await_least(name, least)

    def left(self) -> list[str]:
        """Name what the stack has in the cluster, except what Kubernetes itself keeps in a namespace."""
        return left_in(self.cluster, self.namespace, self.given)

    def remove(self, *, wait: bool = True) -> None:
        """Remove the stack, and then with its namespace the claims, which must be all that it left there.

        Args:
            wait: until the claims are gone as well; without, they go beside the next tests.
        """
        self.stack.destroy()
        others = [one for one in self.left() if not one.startswith(CLAIM)]
        assert not others, f"destroy left {', '.join(others)}"
        let_go(self.namespace)
        if wait:
            await_gone(self.namespace)


def left_in(cluster: Cluster, namespace: str, given: frozenset[str] = frozenset()) -> list[str]:
    """Name what is in a namespace and what the cluster has for it, but for Kubernetes' own and the given."""
    kinds = cluster.kubectl("api-resources", "--verbs=list,delete", "--namespaced", "--output=name")
    wanted = ",".join(kind for kind in kinds.split() if kind.partition(".")[0] not in PASSING)
    found = cluster.kubectl("get", wanted, f"--namespace={namespace}", "--output=name").split()
    wide = cluster.kubectl("get", "clusterroles,clusterrolebindings", "--output=name").split()
    own = {*found, *(one for one in wide if f"/{namespace}-" in one)}
    return sorted(own - KUBERNETES_OWN - given)


def _for_good(settings: Mapping[str, Any]) -> tuple[Any, Any]:
    return settings.get("kafka"), settings.get("kubernetes", {}).get("storageClass")
