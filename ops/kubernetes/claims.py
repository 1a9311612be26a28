"""The stack's PersistentVolumeClaims: they hold its data, and outlive everything else."""

from __future__ import annotations

from components.platform.manifests.scope import PART_OF, STACK
from ops.kubernetes.kubectl import Kubectl
from ops.screen import say

SELECTOR = f"--selector={PART_OF}={STACK}"
REMOVAL_SECONDS = 300.0
"""Longest wait until storage has given up the volumes."""


def claims(kubectl: Kubectl) -> list[str]:
    """Name the claims.

    Raises:
        KubectlError: the API server did not say.
    """
    return [str(one["metadata"]["name"]) for one in kubectl.objects("persistentvolumeclaims", SELECTOR)]


def remove_claims(kubectl: Kubectl) -> None:
    """Delete the claims and wait until they are gone; whether the data goes too is up to their volumes.

    Raises:
        KubectlError: not all are gone in time.
    """
    names = claims(kubectl)
    if not names:
        return
    say(f"deleting the PersistentVolumeClaims {', '.join(names)}")
    timeout = f"--timeout={REMOVAL_SECONDS:.0f}s"
    kubectl.run("delete", "persistentvolumeclaims", *names, "--wait", timeout, seconds=2 * REMOVAL_SECONDS)
