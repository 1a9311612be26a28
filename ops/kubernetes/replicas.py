"""Replicas that keep copies of each other, before an update."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings import Settings
from ops.finding import Finding
from ops.kubernetes.claims import SELECTOR
from ops.kubernetes.kubectl import Kubectl


def check_peers(kubectl: Kubectl, _: Settings) -> Iterator[Finding]:
    """Is every replica of what keeps copies ready? Updates replace others without asking for that.

    Raises:
        KubectlError: the API server did not say.
    """
    for one in kubectl.objects("statefulsets", SELECTOR):
        wanted, ready = int(one["spec"].get("replicas", 1)), int(one["status"].get("readyReplicas", 0))
        if 0 < ready < wanted:
            name = one["metadata"]["name"]
            advice = (
                "a change that restarts its pods takes another one down all the same, and Kafka may "
                "refuse data meanwhile: wait until all are ready, unless this change is what they need"
            )
            yield Finding(
                name=f"replicas of {name}", status="warn", found=f"{ready} of {wanted} ready", advice=advice
            )
