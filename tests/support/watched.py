"""A stack that a cluster's own Prometheus, made by the Prometheus Operator, watches beside its own one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from components.platform.manifests.promql import selectors
from tests.lab.cluster import prometheus_operator
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import ClusterSite, Pod, pod_of, program_of
from tests.support.prometheus_api import Prometheus

ADDED = {"namespace", "pod", "container", "service", "endpoint"}
"""Labels that the operator gives to every target."""
Series = frozenset[frozenset[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The stack and those that watch it.

    Attributes:
        deployed: the stack.
        theirs: the Prometheus that the operator made.
    """

    deployed: ClusterDeployment
    theirs: Prometheus

    @property
    def site(self) -> ClusterSite:
        """Where the stack answers."""
        return self.deployed.site

    @property
    def own(self) -> Prometheus:
        """The stack's own Prometheus."""
        return Prometheus(address=self.site.url(self.site.prometheus))

    @property
    def watchers(self) -> dict[str, Pod]:
        """The operator's own pod and that of its Prometheus, by program."""
        pods = self.deployed.cluster.get("pods", f"--namespace={prometheus_operator.NAMESPACE}")["items"]
        return {program_of(pod): pod for pod in map(pod_of, pods)}

    def given(self) -> dict[str, Any]:
        """Give the object that holds the stack's rules for the operator."""
        return self.deployed.cluster.get(
            "prometheusrule", "otel-stack", f"--namespace={self.deployed.namespace}"
        )

    def groups(self) -> dict[str, list[dict[str, Any]]]:
        """Give the rules of the stack as the operator was given them, by group."""
        return {one["name"]: one["rules"] for one in self.given()["spec"]["groups"]}

    def looked_at(self) -> set[str]:
        """Give every selector in the rules, and one for each series that they record."""
        rules = [rule for group in self.groups().values() for rule in group]
        recorded = {f"{rule['record']}{{{self._marked}}}" for rule in rules if "record" in rule}
        return recorded | {
            rule["expr"][one.start : one.end] for rule in rules for one in selectors(rule["expr"])
        }

    def found(self, selector: str) -> tuple[Series, Series]:
        """Give what a selector of the rules finds in theirs and, as it was for the stack's own, there.

        The labels that the operator adds are left out; what it would have renamed (``exported_...``) is not.
        """
        original = selector.replace(f"{self._marked}, ", "").replace(self._marked, "")
        theirs = frozenset(
            frozenset((name, value) for name, value in one.items() if name not in ADDED)
            for one in self.theirs.series(selector)
        )
        return theirs, frozenset(frozenset(one.items()) for one in self.own.series(original))

    def targets(self) -> list[dict[str, Any]]:
        """Give what the operator's Prometheus scrapes of the stack."""
        every = self.theirs.targets()
        return [one for one in every if one["labels"]["namespace"] == self.deployed.namespace]

    def scraped(self) -> dict[str, str]:
        """Give the pods that the stack's own Prometheus scrapes too, each with its program."""
        pods = self.deployed.cluster.get("pods", f"--namespace={self.deployed.namespace}")["items"]
        return {
            one["metadata"]["name"]: one["metadata"]["labels"]["app.kubernetes.io/name"]
            for one in pods
            if one["metadata"].get("annotations", {}).get("prometheus.io/scrape") == "true"
        }

    @property
    def _marked(self) -> str:
        return f'namespace="{self.deployed.namespace}"'
