"""How the objects of one workload are created: what all of them share, and what is particular to each kind.

ConfigMaps and Secrets are immutable and named by the provider, so changed text is another object: the pods
roll, and those that have not rolled yet still find their own until the update is over. When manifests are
only written for Git, there is no state to remember such a name in; then it carries the text's hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.platform.manifests import config
from components.platform.manifests.scope import Manifest, Scope, text_hash
from components.workload import Workload

FORCE_FIELD_OWNERSHIP = {"pulumi.com/patchForce": "true"}
"""What was left behind becomes this stack's again, whatever its settings were then. Also, the API server
stores an autoscaler's metrics in another form, and attributes them to whoever last touched any other field
of it; without this the next change of a bound would be refused as a conflict."""

NOT_AWAITED = {"pulumi.com/skipAwait": "true"}
"""A Service waits for pods, which wait for it, and an Ingress for an address, which not every controller
reports: the pods' own readiness is what counts. And pods may wait for what only others can do."""


class Objects:
    """Creates the objects of one workload.

    Attributes:
        scope: the stack that they belong to.
        workload: what they are for.
        name: its name.
        after: what must exist before its pods, the namespace first.
    """

    def __init__(
        self, scope: Scope, workload: Workload, parent: pulumi.Resource, after: Sequence[pulumi.Resource]
    ) -> None:
        """Set whose they are; ``after``, of which the namespace is first, must exist before its pods."""
        self.scope, self.workload, self.name = scope, workload, workload.name
        self.after: list[pulumi.Resource] = list(after)
        self._parent = parent

    def policy(self, name: str, spec: Manifest) -> pulumi.Resource:
        """Create a NetworkPolicy."""
        policy: pulumi.Resource = kubernetes.networking.v1.NetworkPolicy(
            name, metadata=self.scope.metadata(self.name, name=name), spec=spec, opts=self.options()
        )
        return policy

    def config_map(self, kind: str, files: Mapping[str, str]) -> pulumi.Input[str] | None:
        """Create a ConfigMap, if there is anything to keep in it, and return its name."""
        if not files:
            return None
        made = kubernetes.core.v1.ConfigMap(
            f"{self.name}-{kind}",
            metadata=self._rolling_metadata(kind, files),
            data=config.config_data(files),
            immutable=True,
            opts=self.options(),
        )
        name: pulumi.Input[str] = made.metadata.name
        return name

    def secret(self, kind: str, texts: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str] | None:
        """Create a Secret, if there is anything to keep in it, and return its name."""
        if not texts:
            return None
        secret = kubernetes.core.v1.Secret(
            f"{self.name}-{kind}",
            metadata=self._rolling_metadata(kind, {}),
            string_data=dict(texts),
            immutable=True,
            opts=self.options(),
        )
        name: pulumi.Input[str] = secret.metadata.name
        return name

    def service(
        self,
        name: str,
        spec: Manifest,
        *,
        annotations: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        replace_on_changes: list[str] | None = None,
    ) -> None:
        """Create a Service; pods that are created after it wait for it."""
        metadata = self.scope.metadata(
            self.name, name=name, annotations={**(annotations or {}), **NOT_AWAITED}, labels=labels
        )
        options = self.options(depends_on=depends_on, replace_on_changes=replace_on_changes)
        service = kubernetes.core.v1.Service(name, metadata=metadata, spec=spec, opts=options)
        self.after.append(service)

    def custom(
        self,
        api_version: str,
        kind: str,
        spec: Manifest,
        *,
        name: str | None = None,
        annotations: Mapping[str, str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> pulumi.Resource:
        """Create an object of a kind that an operator in the cluster knows."""
        name = name or self.name
        made: pulumi.Resource = CustomResource(
            f"{name}-{kind.lower()}",
            api_version=api_version,
            kind=kind,
            metadata=self.scope.metadata(self.name, name=name, annotations=annotations),
            spec=spec,
            opts=self.options(depends_on=depends_on),
        )
        return made

    def options(
        self,
        *,
        depends_on: Sequence[pulumi.Resource] = (),
        custom_timeouts: pulumi.CustomTimeouts | None = None,
        ignore_changes: list[str] | None = None,
        replace_on_changes: list[str] | None = None,
    ) -> pulumi.ResourceOptions:
        """Return the options of any object; without ``depends_on`` it waits only for the namespace."""
        return pulumi.ResourceOptions(
            parent=self._parent,
            depends_on=list(depends_on or self.after[:1]),
            custom_timeouts=custom_timeouts,
            ignore_changes=ignore_changes,
            replace_on_changes=replace_on_changes,
            delete_before_replace=None if replace_on_changes is None else True,
        )

    def _rolling_metadata(self, kind: str, files: Mapping[str, str]) -> Manifest:
        """Leave the name to the provider, which keeps it in the state; without one it is the text's hash."""
        if self.scope.section.render is None:
            return self.scope.metadata(self.name, autonamed=True)
        return self.scope.metadata(self.name, name=f"{self.name}-{kind}-{text_hash(files)}")
