"""What the engine's state has and somebody has removed from the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ops.kubernetes.kubectl import REQUEST_TIMEOUT, Kubectl

NAMESPACE = "kubernetes:core/v1:Namespace"
_TYPE = "kubernetes:"
_CORE = "core"
_EVERYWHERE = ("apps", "autoscaling", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", _CORE)
"""API groups that every cluster has; kinds of others may have gone with their operator."""


def removed_from_cluster(kubectl: Kubectl, resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give the URNs of the namespace, and of objects of built-in kinds in it, that are no longer there.

    Args:
        kubectl: bound to the stack's namespace.
        resources: of an exported state.

    Raises:
        KubectlError: the API server did not say.
    """
    own = [one for one in resources if str(one.get("type")).startswith(_TYPE) and not one.get("delete")]
    asked = {str(one["urn"]): _asked(one) for one in own if _is_in(kubectl.namespace, one)}
    spaces = [str(one["urn"]) for one in own if one["type"] == NAMESPACE and one["id"] == kubectl.namespace]
    present = _present(kubectl, {kind for kind, _ in asked.values()})
    removed = [urn for urn, (kind, name) in asked.items() if f"{kind}/{name}" not in present]
    if spaces and not kubectl.exists("namespace", kubectl.namespace):
        return [*spaces, *removed]
    return removed


def _is_in(namespace: str, resource: Mapping[str, Any]) -> bool:
    group = str(resource["type"]).removeprefix(_TYPE).partition("/")[0]
    return group in _EVERYWHERE and str(resource["id"]).startswith(f"{namespace}/")


def _asked(resource: Mapping[str, Any]) -> tuple[str, str]:
    """Give kind and name as kubectl prints them: ``deployment.apps`` and ``grafana``."""
    version, _, kind = str(resource["type"]).removeprefix(_TYPE).partition(":")
    group = version.partition("/")[0]
    name = str(resource["id"]).partition("/")[2]
    return kind.lower() if group == _CORE else f"{kind.lower()}.{group}", name


def _present(kubectl: Kubectl, kinds: Iterable[str]) -> set[str]:
    wanted = ",".join(sorted(kinds))
    if not wanted:
        return set()
    return set(kubectl.run("get", wanted, REQUEST_TIMEOUT, "--output=name").decode().split())
