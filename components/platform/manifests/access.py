"""What a program may read from the API server: its own account, and rules only if it reads something."""

from __future__ import annotations

from collections.abc import Sequence

from components.platform.manifests.scope import Manifest, Scope
from components.workload import ApiRule, Workload

VERBS = ("get", "list", "watch")
RBAC = "rbac.authorization.k8s.io"


def rules(found: Sequence[ApiRule]) -> list[Manifest]:
    """Return the rules of a Role or ClusterRole."""
    return [{"apiGroups": [""], "resources": list(rule.resources), "verbs": list(VERBS)} for rule in found]


def role_ref(kind: str, name: str) -> Manifest:
    """Refer to a Role or ClusterRole."""
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def account(scope: Scope, workload: Workload) -> Manifest:
    """Name a workload's account as the subject of a binding."""
    return {"kind": "ServiceAccount", "name": workload.name, "namespace": scope.namespace}


def cluster_role_name(scope: Scope, workload: Workload) -> str:
    """Name an object outside namespaces so that two stacks in a cluster do not share it."""
    return f"{scope.namespace}-{workload.name}"
