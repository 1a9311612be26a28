"""Workloads as Deployments or StatefulSets of one namespace, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.platform.manifests import network
from components.platform.manifests.monitoring import rule_groups
from components.platform.manifests.scope import (
    FIELD_MANAGER,
    FIRST_APPLIED,
    MANIFESTS,
    OWNER,
    Scope,
    field_manager,
    owner,
)
from components.platform.objects import FORCE_FIELD_OWNERSHIP, NOT_AWAITED, Objects
from components.platform.workload_exposure import expose
from components.platform.workload_objects import (
    START_TIMEOUT,
    make_account,
    make_configuration,
    make_pods,
    make_policies,
    make_services,
)
from components.platform.workload_scaling import scale
from components.workload import Deployed, Workload

POD_SECURITY = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}

KEPT_BY_GIT_TOOLS = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""Deleting the namespace would delete its claims, and everything stored; deleting an operator's resources,
the data that it keeps."""

READY = {"pulumi.com/waitFor": "condition=Ready"}


class KubernetesPlatform:
    """Runs workloads in one namespace of one cluster, or writes their manifests into a folder."""

    def __init__(self, scope: Scope) -> None:
        """Set the cluster; nothing is contacted before the update itself."""
        self._scope = scope
        self._provider = kubernetes.Provider("kubernetes", **_connection(scope), namespace=scope.namespace)
        is_rendered = scope.section.render is not None
        first = kubernetes.Provider(
            "kubernetes-namespace",
            **_connection(scope, FIRST_APPLIED),
            upsert_existing_objects=None if is_rendered else True,
        )
        self._adopting = self._provider if is_rendered else first
        self._namespace = _namespace(scope, first)
        _guard(scope, self._namespace, self._adopting)

    @property
    def component_options(self) -> pulumi.ResourceOptions:
        """Options for components, so that what they create is in this cluster."""
        return pulumi.ResourceOptions(providers=[self._provider])

    def run(
        self, workload: Workload, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> Deployed:
        """Run a workload with its account, configuration, Services, policies and bounds."""
        made = Objects(self._scope, workload, parent, [self._namespace, *after])
        make_account(made)
        make_policies(made)
        configuration = make_configuration(made)
        make_services(made)
        pods = make_pods(made, configuration)
        scale(made, pods)
        expose(made, pods)
        return Deployed(workload=workload, host=workload.name, ready=[pods])

    def declare(
        self,
        api_version: str,
        kind: str,
        name: str,
        spec: Mapping[str, Any],
        *,
        parent: pulumi.Resource,
        after: Sequence[pulumi.Resource] = (),
        labels: Mapping[str, str] | None = None,
        awaited: bool = True,
    ) -> pulumi.Resource:
        """Declare a resource and, if ``awaited``, wait until its operator reports it ready.

        Its data would go with it, so like claims it outlives the stack, and the next one takes it over.
        """
        waits = READY if awaited else NOT_AWAITED
        annotations = {**KEPT_BY_GIT_TOOLS, **FORCE_FIELD_OWNERSHIP, **waits}
        metadata = self._scope.metadata(name, annotations=annotations, labels=labels)
        declared: pulumi.Resource = CustomResource(
            f"{name}-{kind.lower()}",
            api_version=api_version,
            kind=kind,
            metadata=metadata,
            spec=spec,
            opts=pulumi.ResourceOptions(
                parent=parent,
                provider=self._adopting,
                retain_on_delete=self._scope.section.render is None,
                depends_on=[self._namespace, *after],
                custom_timeouts=pulumi.CustomTimeouts(
                    create=START_TIMEOUT, update=START_TIMEOUT, delete=START_TIMEOUT
                ),
            ),
        )
        return declared

    def allow_all_egress(self, labels: Mapping[str, str], name: str, *, parent: pulumi.Resource) -> None:
        """Let pods that an operator creates and guards itself connect to anything."""
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-egress",
            metadata=self._scope.metadata(name, name=f"{name}-egress"),
            spec=network.open_egress_spec(labels),
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[self._namespace]),
        )

    def alert_rules(self, rules: Mapping[str, str], *, parent: pulumi.Resource) -> None:
        """Give alert rules, by file, to the operator's Prometheus if the settings choose it."""
        if self._scope.section.monitoring == "prometheus-operator":
            CustomResource(
                "otel-stack-rules",
                api_version="monitoring.coreos.com/v1",
                kind="PrometheusRule",
                metadata=self._scope.metadata("otel-stack"),
                spec={"groups": rule_groups(rules, self._scope.namespace)},
                opts=pulumi.ResourceOptions(parent=parent, depends_on=[self._namespace]),
            )


def _connection(scope: Scope, folder: str = "") -> dict[str, str]:
    """Return the cluster, or the folder in that of all manifests."""
    section = scope.section
    if section.render is not None:
        # Set, though empty: otherwise the SDK would put the environment's KUBECONFIG here, which the plugin
        # refuses beside a folder. To the plugin an empty one is none; ops/pulumi points it to no cluster.
        path = PurePosixPath(section.render, MANIFESTS, folder)
        return {"render_yaml_to_directory": str(path), "kubeconfig": ""}
    return {
        "kubeconfig": section.kubeconfig or "",
        "context": section.context or "",
        "cluster_identifier": section.context or "",
    }


def _namespace(scope: Scope, provider: kubernetes.Provider) -> kubernetes.core.v1.Namespace:
    """Create the namespace, or take over the one that the stack left behind with its volumes.

    The API server refuses it if another stack is recorded as its owner. Who applies rendered manifests has a
    name of their own for that.
    """
    project, stack, is_rendered = pulumi.get_project(), pulumi.get_stack(), scope.section.render is not None
    applied_as = {} if is_rendered else {FIELD_MANAGER: field_manager(project, stack)}
    metadata = {
        "name": scope.namespace,
        "labels": {**scope.section.labels, **POD_SECURITY},
        "annotations": {**KEPT_BY_GIT_TOOLS, OWNER: owner(project, stack), **applied_as},
    }
    return kubernetes.core.v1.Namespace(
        scope.namespace,
        metadata=metadata,
        opts=pulumi.ResourceOptions(provider=provider, retain_on_delete=not is_rendered),
    )


def _guard(scope: Scope, namespace: pulumi.Resource, provider: kubernetes.Provider) -> None:
    """Deny all connections that no other policy of the stack allows."""
    policies = {"deny-all": network.deny_all_spec(), "clients-to-acme-solver": network.solver_spec(scope)}
    for name, spec in policies.items():
        if spec is not None:
            kubernetes.networking.v1.NetworkPolicy(
                name,
                metadata=scope.metadata("otel-stack", name=name),
                spec=spec,
                opts=pulumi.ResourceOptions(provider=provider, depends_on=[namespace]),
            )
