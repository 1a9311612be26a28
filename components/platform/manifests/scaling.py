"""How many pods there are: autoscalers, and how many may be unavailable at once."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.autoscaling import POLL_INTERVAL, Autoscaling, KafkaLag
from components.platform.manifests.network import whole_name
from components.platform.manifests.pod import is_stateful, millicores
from components.platform.manifests.scope import Manifest, Scope, selector
from components.values.secret_text import ExistingSecret, SecretText
from components.workload import Workload

CALM_SECONDS = 300
"""How long the load must have been lower before replicas are removed."""

STEP_SECONDS = 60
"""At most one replica is removed, and the number at most doubles, in this time."""


def autoscaler_spec(workload: Workload, scaling: Autoscaling) -> Manifest:
    """Return the spec of a HorizontalPodAutoscaler by CPU, and by memory where that reflects load.

    Targets are amounts, derived from the limits: shares would refer to the requests, which are far below.
    """
    limits = workload.resources
    metrics = [_metric("cpu", millicores(limits.cpus * scaling.cpu))]
    if scaling.memory is not None:
        metrics.append(_metric("memory", f"{limits.memory.share(scaling.memory).mebibytes}Mi"))
    return {
        "scaleTargetRef": _target(workload),
        "minReplicas": workload.replicas or 1,
        "maxReplicas": scaling.maximum,
        "metrics": metrics,
        "behavior": _behavior(),
    }


def scaled_object_spec(
    scope: Scope, workload: Workload, scaling: Autoscaling, lag: KafkaLag, login: str | None
) -> Manifest:
    """Return the spec of KEDA's ScaledObject: one trigger for each consumer group.

    A partition whose reader has not advanced since the last poll does not count: more processors do not help
    while a store is down, and each new one moves partitions. The autoscaler gets what KEDA's poll found; a
    separate poll for it would come so soon after that nothing had advanced.

    Args:
        scope: the stack; KEDA runs in another namespace and needs whole names.
        workload: what is scaled.
        scaling: bounds; KEDA itself never goes over the number of partitions.
        lag: what is measured.
        login: name of the TriggerAuthentication; None where Kafka asks for neither login nor encryption.
    """
    shared = {
        "bootstrapServers": ",".join(whole_name(scope, server) for server in lag.servers),
        "allowIdleConsumers": "false",
        "excludePersistentLag": "true",
        "offsetResetPolicy": "earliest",
        **({"tls": "enable"} if lag.tls else {}),
        **({"sasl": SASL[lag.login.mechanism]} if lag.login else {}),
    }
    return {
        "scaleTargetRef": _target(workload),
        "minReplicaCount": workload.replicas or 1,
        "maxReplicaCount": scaling.maximum,
        "pollingInterval": POLL_INTERVAL.seconds,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior()}},
        "triggers": [
            {
                "type": "kafka",
                "useCachedMetrics": True,
                "metadata": {
                    **shared,
                    "consumerGroup": group,
                    "topic": topic,
                    "lagThreshold": str(lag.each + lag.held.get(group, 0)),
                },
                **({"authenticationRef": {"name": login}} if login else {}),
            }
            for group, topic in lag.topics.items()
        ],
    }


SASL = {"PLAIN": "plaintext", "SCRAM-SHA-256": "scram_sha256", "SCRAM-SHA-512": "scram_sha512"}
"""SASL mechanism -> its name in KEDA."""


def login_secrets(lag: KafkaLag) -> dict[str, SecretText]:
    """Return the secrets that KEDA needs to log in, by its own names."""
    found: dict[str, SecretText] = {}
    if lag.login is not None:
        found["password"] = lag.login.password
    if lag.authority is not None:
        found["ca"] = lag.authority
    return found


def trigger_authentication_spec(
    secrets: Mapping[str, SecretText], own: pulumi.Input[str] | None, user: pulumi.Input[str] | None
) -> Manifest:
    """Return the spec of KEDA's TriggerAuthentication.

    Args:
        secrets: the secrets, by KEDA's names.
        own: name of the Secret with those that are the stack's own.
        user: name of the ConfigMap with the user's name; None without login.
    """
    refs = [
        {"parameter": parameter, "name": value.name, "key": value.key}
        if isinstance(value, ExistingSecret)
        else {"parameter": parameter, "name": own, "key": parameter}
        for parameter, value in secrets.items()
    ]
    spec: Manifest = {"secretTargetRef": refs}
    if user is not None:
        spec["configMapTargetRef"] = [{"parameter": "username", "name": user, "key": "username"}]
    return spec


def disruption_spec(workload: Workload) -> Manifest:
    """Return the spec of a PodDisruptionBudget: one at a time.

    Pods that do not work anyway may always be evicted, unless they hold data that others would then lack.
    """
    keeps_data = workload.peers and is_stateful(workload)
    return {
        "maxUnavailable": 1,
        "selector": {"matchLabels": selector(workload.name)},
        "unhealthyPodEvictionPolicy": "IfHealthyBudget" if keeps_data else "AlwaysAllow",
    }


def _target(workload: Workload) -> Manifest:
    kind = "StatefulSet" if is_stateful(workload) else "Deployment"
    return {"apiVersion": "apps/v1", "kind": kind, "name": workload.name}


def _metric(name: str, amount: str) -> Manifest:
    target = {"type": "AverageValue", "averageValue": amount}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def _behavior() -> Manifest:
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": STEP_SECONDS},
                {"type": "Pods", "value": 2, "periodSeconds": STEP_SECONDS},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": CALM_SECONDS,
            "selectPolicy": "Min",
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": STEP_SECONDS}],
        },
    }
