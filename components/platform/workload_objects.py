"""The objects of one workload in a namespace.

ConfigMaps and Secrets are immutable and named by the provider, so other text is another object: the pods
roll, and an older version still finds its own. While manifests are only written for Git, there is no state to
remember such a name in; then it carries the text's hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.autoscaling import Autoscaling, KafkaLag
from components.platform.manifests import access, config, network, scaling, workloads
from components.platform.manifests.monitoring import SCRAPED, service_monitor_spec
from components.platform.manifests.pod import is_stateful
from components.platform.manifests.scope import Manifest, Scope, text_hash
from components.publication import Exposure
from components.quantities import Duration
from components.secret_text import ExistingSecret
from components.workload import Port, Workload, headless

KEDA = "keda.sh/v1alpha1"
START = Duration(600)
"""How long pods that start together may take to become ready before the update fails and says which did not;
nodes may have to come and images to be fetched."""
START_TIMEOUT = START.in_unit("m")

LONGEST = Duration(2 * 3600)
"""How long an update waits at most, so that one that is stuck is told of the same morning. It leaves each of
a dozen replicas of a store, which is as many as a high rate needs, nine minutes to hand over and to start."""

MADE_ONCE = ["spec.volumeClaimTemplates"]
"""To change them a StatefulSet has to be replaced: all its pods at once, and no claim would change by it.

The engine puts the old templates into what it replaces a StatefulSet by as well, so one that comes to have a
volume, or to have none, must become another resource."""

ALLOW_KEDA_TAKEOVER = {"validations.keda.sh/hpa-ownership": "false"}
"""When processors change over to scaling by lag, KEDA's object comes before this autoscaler goes, and KEDA
refuses to scale what another autoscaler does, unless that one says this."""

FORCE_FIELD_OWNERSHIP = {"pulumi.com/patchForce": "true"}
"""What was left behind is this stack's again, whatever its settings were when it was left. And the API server
keeps an autoscaler's metrics in another shape, and gives them as owned by whoever last touched any other
field of it; without this the next change of a bound would be refused as a conflict."""

NOT_AWAITED = {"pulumi.com/skipAwait": "true"}
"""A Service waits for pods, which wait for it, and an Ingress for an address, which not every controller
tells: the pods' own readiness is what counts."""


class WorkloadObjects:
    """The objects of one workload."""

    def __init__(
        self, scope: Scope, workload: Workload, parent: pulumi.Resource, after: Sequence[pulumi.Resource]
    ) -> None:
        """Name whose they are; ``after``, which the namespace begins, must be there before its pods."""
        self._scope, self._workload, self._name = scope, workload, workload.name
        self._parent = parent
        self._after: list[pulumi.Resource] = list(after)

    def account(self) -> None:
        """Make the account, and what it may read."""
        name, workload, scope = self._name, self._workload, self._scope
        account = kubernetes.core.v1.ServiceAccount(
            name,
            metadata=scope.metadata(name, annotations=workload.account),
            automount_service_account_token=False,
            opts=self._options(),
        )
        self._after.append(account)
        near = [rule for rule in workload.reads if not rule.everywhere]
        far = [rule for rule in workload.reads if rule.everywhere]
        subjects = [access.account(scope, workload)]
        rbac = kubernetes.rbac.v1
        if near:
            rbac.Role(name, metadata=scope.metadata(name), rules=access.rules(near), opts=self._options())
            rbac.RoleBinding(
                name,
                metadata=scope.metadata(name),
                role_ref=access.role_ref("Role", name),
                subjects=subjects,
                opts=self._options(),
            )
        if far:
            wide = scope.metadata(name, name=access.cluster_role_name(scope, workload), cluster_wide=True)
            rbac.ClusterRole(name, metadata=wide, rules=access.rules(far), opts=self._options())
            rbac.ClusterRoleBinding(
                name,
                metadata=wide,
                role_ref=access.role_ref("ClusterRole", wide["name"]),
                subjects=subjects,
                opts=self._options(),
            )

    def policies(self) -> None:
        """Open exactly the ways that the workload's data takes."""
        egress = {f"{self._name}-egress": network.egress_spec(self._scope, self._workload)}
        for name, spec in {**egress, **network.ingress_policies(self._scope, self._workload)}.items():
            self._after.append(self._policy(name, spec))

    def configuration(self) -> config.ConfigObjects:
        """Make ConfigMap and Secret."""
        workload = self._workload
        config_map = self._config_map("config", workload.files)
        secret = self._secret("secrets", config.own_secrets(workload))
        return config.ConfigObjects(config_map=config_map, secret=secret)

    def services(self) -> None:
        """Make the Service, and the headless one where single pods are reached, before the pods."""
        workload = self._workload
        if not workload.ports:
            return
        labels = {SCRAPED: "true"} if workload.scraped else {}
        self._service(self._name, network.service_spec(workload), labels=labels)
        if workload.peers or any(port.speaks == "grpc" and port.published for port in workload.ports):
            self._service(headless(self._name), network.headless_spec(workload))

    def pods(self, objects: config.ConfigObjects) -> pulumi.Resource:
        """Make the Deployment or StatefulSet and wait for its pods."""
        scope, workload = self._scope, self._workload
        options = self._options(
            depends_on=self._after,
            custom_timeouts=pulumi.CustomTimeouts(create=START_TIMEOUT, update=_update_timeout(workload)),
            ignore_changes=MADE_ONCE if is_stateful(workload) else None,
        )
        metadata = scope.metadata(self._name, annotations=workloads.storage(workload))
        if not is_stateful(workload):
            spec = workloads.deployment_spec(scope, workload, objects)
            make: Callable[..., pulumi.Resource] = kubernetes.apps.v1.Deployment
        else:
            spec = workloads.stateful_set_spec(scope, workload, objects)
            make = kubernetes.apps.v1.StatefulSet
        return make(self._name, metadata=metadata, spec=spec, opts=options)

    def scaling_and_disruption(self, pods: pulumi.Resource) -> None:
        """Bound how many of the pods there are, and how many may be away."""
        workload, metadata = self._workload, self._scope.metadata(self._name)
        if workload.replicas is not None and workload.replicas > 1:
            spec = scaling.disruption_spec(workload)
            kubernetes.policy.v1.PodDisruptionBudget(
                self._name, metadata=metadata, spec=spec, opts=self._options()
            )
        scale = workload.autoscaling
        if scale is None:
            return
        if scale.lag is not None:
            self._scale_by_lag(scale, scale.lag, pods)
            return
        kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
            self._name,
            metadata=self._scope.metadata(
                self._name, annotations={**FORCE_FIELD_OWNERSHIP, **ALLOW_KEDA_TAKEOVER}
            ),
            spec=scaling.autoscaler_spec(workload, scale),
            opts=self._options(depends_on=[pods]),
        )

    def _scale_by_lag(self, scale: Autoscaling, lag: KafkaLag, pods: pulumi.Resource) -> None:
        """Let KEDA scale, once all that it needs is there: it waits ever longer for what it did not find."""
        scope, secrets = self._scope, scaling.login_secrets(lag)
        login, needed = None, [pods]
        if secrets:
            login = f"{self._name}-scaler"
            own = {name: text for name, text in secrets.items() if not isinstance(text, ExistingSecret)}
            secret = self._secret("scaler", own)
            user = None if lag.login is None else self._config_map("user", {"username": lag.login.username})
            spec = scaling.trigger_authentication_spec(secrets, secret, user)
            needed.append(self._custom(KEDA, "TriggerAuthentication", spec, name=login))
        spec = scaling.scaled_object_spec(scope, self._workload, scale, lag, login)
        self._custom(KEDA, "ScaledObject", spec, depends_on=needed)
        namespace = scope.keda_namespace
        for name, policy in network.lag_policies(lag.servers, namespace).items():
            self._policy(name, policy)

    def expose(self, pods: pulumi.Resource) -> None:
        """Let others in, once there are pods: Services, Ingresses, routes, and the operator's Prometheus."""
        scope, workload = self._scope, self._workload
        section = scope.section.exposure
        if section.type == "LoadBalancer" and network.exposed(workload):
            spec = network.load_balancer_spec(scope, workload)
            annotations = section.annotations
            self._service(f"{self._name}-external", spec, annotations=annotations, depends_on=[pods])
        for port, exposure in network.exposed(workload):
            if section.type == "Ingress":
                self._ingress(port, exposure, pods)
            elif section.type == "GatewayAPI":
                self._route(port, exposure, pods)
        if workload.scraped is not None and scope.section.monitoring == "prometheus-operator":
            spec = service_monitor_spec(workload, workload.scraped)
            self._custom("monitoring.coreos.com/v1", "ServiceMonitor", spec)

    def _ingress(self, port: Port, exposure: Exposure, pods: pulumi.Resource) -> None:
        scope, section = self._scope, self._scope.section.exposure
        name, service = f"{self._name}-{port.name}", self._name
        if port.speaks == "grpc":
            service = name
            spec = network.backend_spec(self._workload, port)
            self._service(service, spec, annotations=section.grpc_annotations)
        annotations = {**network.way_in_annotations(section, port), **NOT_AWAITED}
        kubernetes.networking.v1.Ingress(
            name,
            metadata=scope.metadata(self._name, name=name, annotations=annotations),
            spec=network.ingress_spec(scope, service, port, exposure),
            opts=self._options(depends_on=[pods]),
        )

    def _route(self, port: Port, exposure: Exposure, pods: pulumi.Resource) -> None:
        section = self._scope.section.exposure
        self._custom(
            "gateway.networking.k8s.io/v1",
            "GRPCRoute" if port.speaks == "grpc" else "HTTPRoute",
            network.route_spec(self._scope, self._workload, port, exposure),
            name=f"{self._name}-{port.name}",
            annotations=network.way_in_annotations(section, port),
            depends_on=[pods],
        )

    def _policy(self, name: str, spec: Manifest) -> pulumi.Resource:
        policy: pulumi.Resource = kubernetes.networking.v1.NetworkPolicy(
            name, metadata=self._scope.metadata(self._name, name=name), spec=spec, opts=self._options()
        )
        return policy

    def _config_map(self, kind: str, files: Mapping[str, str]) -> pulumi.Input[str] | None:
        """Make a ConfigMap, if there is anything to keep in it, and give its name."""
        if not files:
            return None
        made = kubernetes.core.v1.ConfigMap(
            f"{self._name}-{kind}",
            metadata=self._rolling_metadata(kind, files),
            data=config.config_data(files),
            immutable=True,
            opts=self._options(),
        )
        name: pulumi.Input[str] = made.metadata.name
        return name

    def _secret(self, kind: str, texts: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str] | None:
        """Make a Secret, if there is anything to keep in it, and give its name."""
        if not texts:
            return None
        secret = kubernetes.core.v1.Secret(
            f"{self._name}-{kind}",
            metadata=self._rolling_metadata(kind, {}),
            string_data=dict(texts),
            immutable=True,
            opts=self._options(),
        )
        name: pulumi.Input[str] = secret.metadata.name
        return name

    def _service(
        self,
        name: str,
        spec: Manifest,
        *,
        annotations: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> None:
        metadata = self._scope.metadata(
            self._name, name=name, annotations={**(annotations or {}), **NOT_AWAITED}, labels=labels
        )
        options = self._options(depends_on=depends_on)
        service = kubernetes.core.v1.Service(name, metadata=metadata, spec=spec, opts=options)
        self._after.append(service)

    def _custom(
        self,
        api_version: str,
        kind: str,
        spec: Manifest,
        *,
        name: str | None = None,
        annotations: Mapping[str, str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> pulumi.Resource:
        name = name or self._name
        made: pulumi.Resource = CustomResource(
            f"{name}-{kind.lower()}",
            api_version=api_version,
            kind=kind,
            metadata=self._scope.metadata(self._name, name=name, annotations=annotations),
            spec=spec,
            opts=self._options(depends_on=depends_on),
        )
        return made

    def _rolling_metadata(self, kind: str, files: Mapping[str, str]) -> Manifest:
        """Leave the name to the provider, which keeps it in the state; without one it is the text's hash."""
        if self._scope.section.render is None:
            return self._scope.metadata(self._name, autonamed=True)
        return self._scope.metadata(self._name, name=f"{self._name}-{kind}-{text_hash(files)}")

    def _options(
        self,
        *,
        depends_on: Sequence[pulumi.Resource] = (),
        custom_timeouts: pulumi.CustomTimeouts | None = None,
        ignore_changes: list[str] | None = None,
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self._parent,
            depends_on=list(depends_on or self._after[:1]),
            custom_timeouts=custom_timeouts,
            ignore_changes=ignore_changes,
        )


def _update_timeout(workload: Workload) -> str:
    return Duration(min(START.seconds + workloads.rollout(workload).seconds, LONGEST.seconds)).in_unit("m")
