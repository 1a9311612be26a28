"""Replicas that keep copies of each other, before an update."""

from __future__ import annotations

from collections.abc import Iterator

from components.sections.phase_numbers import ON_OBJECT_STORAGE
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


def check_fewer(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Do the settings take replicas from a store? All that are too many would stop at once.

    Raises:
        KubectlError: the API server did not say.
    """
    if settings.phase < ON_OBJECT_STORAGE:
        return
    wanted = {name: part.replicas for name, part in settings.store_size.keepers.items()}
    for one in kubectl.objects("statefulsets", SELECTOR):
        name, running = one["metadata"]["name"], int(one["spec"].get("replicas", 1))
        if running > wanted.get(name, running):
            advice = (
                "those that go hold what is not in the bucket yet, and Mimir's keep their place in the ring: "
                "writes and queries would stop. Take them out one at a time, as docs/phase4.md says (Fewer "
                "replicas of a store), or leave sizing.eventsPerSecond and stores.mimir as they were"
            )
            found = f"{wanted[name]} by these settings, {running} in the cluster"
            yield Finding(name=f"fewer replicas of {name}", status="fail", found=found, advice=advice)
