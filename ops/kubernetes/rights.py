"""May this user do on the cluster what ``up`` and ``down`` do?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.kafka_strimzi import API as STRIMZI
from components.settings import Settings
from ops.finding import Finding
from ops.kubernetes.kubectl import Kubectl

VERBS = ("create", "patch", "delete")
_GROUP = "authorization.k8s.io/v1"

Kind = tuple[str, str]
"""API group, empty for the core, and plural name."""

NAMESPACED: tuple[Kind, ...] = (
    ("", "configmaps"),
    ("", "secrets"),
    ("", "services"),
    ("", "serviceaccounts"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
)
EVERYWHERE: tuple[Kind, ...] = (
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
)
"""Gateways put pods' names on telemetry, so they read the pods of all namespaces."""

GATEWAY_API, MONITORING, KEDA = (
    "gateway.networking.k8s.io/v1",
    "monitoring.coreos.com/v1",
    "keda.sh/v1alpha1",
)


def chosen_kinds(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Kinds that the cluster has only where somebody has installed them, by API version."""
    section = settings.kubernetes
    kinds: dict[str, tuple[str, ...]] = {}
    if section.exposure.type == "GatewayAPI":
        kinds[GATEWAY_API] = ("grpcroutes", "httproutes")
    if section.monitoring == "prometheus-operator":
        kinds[MONITORING] = ("servicemonitors", "prometheusrules")
    if settings.autoscaling.lag == "keda":
        kinds[KEDA] = ("scaledobjects", "triggerauthentications")
    if settings.kafka.mode == "strimzi":
        kinds[STRIMZI] = ("kafkas", "kafkanodepools", "kafkatopics", "kafkausers")
    return kinds


def check_rights(kubectl: Kubectl, settings: Settings) -> Finding:
    """Ask the API server about every verb on every kind that the stack makes.

    Raises:
        KubectlError: it did not answer.
    """
    asked = [*_questions(kubectl.namespace, _namespaced(settings)), *_questions(None, EVERYWHERE)]
    asked += [_question(None, "create", ("", "namespaces")), _question(None, "patch", ("", "namespaces"))]
    denied: dict[str, list[str]] = defaultdict(list)
    for answer in kubectl.documents(asked):
        if not answer["status"].get("allowed"):
            attributes = answer["spec"]["resourceAttributes"]
            denied[_named(attributes)].append(attributes["verb"])
    if denied:
        found = "; ".join(f"{kind}: {', '.join(verbs)}" for kind, verbs in denied.items())
        advice = "have somebody grant you these rights (Role and ClusterRole), or choose another context"
        return Finding(name="rights", status="fail", found=f"refused: {found}", advice=advice)
    return Finding(name="rights", found=f"{len(asked)} asked for, all granted")


def _namespaced(settings: Settings) -> Iterator[Kind]:
    yield from NAMESPACED
    if settings.kubernetes.exposure.type == "Ingress":
        yield ("networking.k8s.io", "ingresses")
    for version, kinds in chosen_kinds(settings).items():
        yield from ((version.partition("/")[0], kind) for kind in kinds)


def _questions(namespace: str | None, kinds: Iterable[Kind]) -> Iterator[dict[str, Any]]:
    return (_question(namespace, verb, kind) for kind in kinds for verb in VERBS)


def _question(namespace: str | None, verb: str, kind: Kind) -> dict[str, Any]:
    attributes = {"verb": verb, "group": kind[0], "resource": kind[1]}
    if namespace is not None:
        attributes["namespace"] = namespace
    return {
        "apiVersion": _GROUP,
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }


def _named(attributes: Mapping[str, str]) -> str:
    group = attributes.get("group")
    return f"{attributes['resource']}.{group}" if group else attributes["resource"]
