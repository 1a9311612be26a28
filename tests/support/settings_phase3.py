"""Settings of phase 3 of which a test says only what is of matter to it."""

from __future__ import annotations

from typing import Any

CLUSTER = {"kubeconfig": "~/.kube/config", "context": "main"}
GIT = {"repository": "https://git.example.com/deploy.git"}
OWN_SECRETS = {"grafana": "grafana-secrets"}


def cluster(**fields: Any) -> dict[str, Any]:
    """For a cluster, with fields of the section ``kubernetes``."""
    return {"phase": 3, "kubernetes": {**CLUSTER, **fields}}


def exposed(**fields: Any) -> dict[str, Any]:
    """The same with fields of ``kubernetes.exposure``."""
    return cluster(exposure=fields)


def rendered(**fields: Any) -> dict[str, Any]:
    """For manifests in Git."""
    return {
        "phase": 3,
        "kubernetes": {"render": "out", "existingSecrets": OWN_SECRETS, "gitops": GIT, **fields},
    }
