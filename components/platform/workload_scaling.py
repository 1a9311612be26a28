"""How many pods a workload has, and how many may be unavailable."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.autoscaling import Autoscaling, KafkaLag
from components.platform.manifests import network, scaling
from components.platform.objects import FORCE_FIELD_OWNERSHIP, Objects
from components.values.secret_text import ExistingSecret

KEDA = "keda.sh/v1alpha1"
ALLOW_KEDA_TAKEOVER = {"validations.keda.sh/hpa-ownership": "false"}
"""When processors switch to scaling by lag, KEDA's object is created before this autoscaler is deleted, and
KEDA refuses to scale what another autoscaler does, unless that one has this."""


def scale(made: Objects, pods: pulumi.Resource) -> None:
    """Bound how many pods there are, and how many may be unavailable."""
    workload, metadata = made.workload, made.scope.metadata(made.name)
    if workload.replicas is not None and workload.replicas > 1:
        spec = scaling.disruption_spec(workload)
        kubernetes.policy.v1.PodDisruptionBudget(made.name, metadata=metadata, spec=spec, opts=made.options())
    bounds = workload.autoscaling
    if bounds is None:
        return
    if bounds.lag is not None:
        _scale_by_lag(made, bounds, bounds.lag, pods)
        return
    kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
        made.name,
        metadata=made.scope.metadata(made.name, annotations={**FORCE_FIELD_OWNERSHIP, **ALLOW_KEDA_TAKEOVER}),
        spec=scaling.autoscaler_spec(workload, bounds),
        opts=made.options(depends_on=[pods]),
    )


def _scale_by_lag(made: Objects, bounds: Autoscaling, lag: KafkaLag, pods: pulumi.Resource) -> None:
    """Let KEDA scale, once all that it needs exists: it waits ever longer for what it did not find."""
    scope, secrets = made.scope, scaling.login_secrets(lag)
    login, needed = None, [pods]
    if secrets:
        login = f"{made.name}-scaler"
        own = {name: text for name, text in secrets.items() if not isinstance(text, ExistingSecret)}
        secret = made.secret("scaler", own)
        user = None if lag.login is None else made.config_map("user", {"username": lag.login.username})
        spec = scaling.trigger_authentication_spec(secrets, secret, user)
        needed.append(made.custom(KEDA, "TriggerAuthentication", spec, name=login))
    spec = scaling.scaled_object_spec(scope, made.workload, bounds, lag, login)
    made.custom(KEDA, "ScaledObject", spec, depends_on=needed)
    namespace = scope.keda_namespace
    for name, policy in network.lag_policies(lag.servers, namespace).items():
        made.policy(name, policy)
