"""Replicas that keep copies of each other, before an update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings import Settings
from components.sizing.programs import TierSize
from components.sizing.stores import series_held
from ops.finding import Finding
from ops.kubernetes.claims import SELECTOR
from ops.kubernetes.kubectl import Kubectl


def check_peers(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Is every replica of what keeps copies ready, and does the update remove none that has data?

    Updates replace replicas without asking whether the others are ready, and remove several at once.

    Raises:
        KubectlError: the API server did not say.
    """
    keepers = settings.store_size.keepers if settings.phase >= ON_OBJECT_STORAGE else {}
    for one in kubectl.objects("statefulsets", SELECTOR):
        name, present = str(one["metadata"]["name"]), int(one["spec"].get("replicas", 1))
        yield from _ready(name, present, int(one["status"].get("readyReplicas", 0)))
        yield from _fewer(name, present, keepers)


def _ready(name: str, wanted: int, ready: int) -> Iterator[Finding]:
    if 0 < ready < wanted:
        advice = (
            "a change that restarts its pods takes another one down all the same, and Kafka may "
            "refuse data meanwhile: wait until all are ready, unless this change is what they need"
        )
        yield Finding(
            name=f"replicas of {name}", status="warn", found=f"{ready} of {wanted} ready", advice=advice
        )


def _fewer(name: str, present: int, keepers: Mapping[str, TierSize]) -> Iterator[Finding]:
    """Refuse to remove replicas of a store's workload with the data."""
    size = keepers.get(name)
    if size is None or size.replicas >= present:
        return
    keep = "undo the change of sizing or stores"
    if name == "mimir":
        keep += f", or set stores.mimir.maxSeries to {series_held(size.each, present)}"
    advice = (
        "those that go keep what is not in the bucket yet, and their place in the ring: without them writes, "
        f"queries and rules may stop for good. Take them out one at a time until there are {size.replicas}, "
        "as docs/phase4.md says, Fewer replicas, then the same command again; "
        f"or keep {present}: {keep}"
    )
    found = f"{present} in the cluster, {size.replicas} by the settings"
    yield Finding(name=f"number of replicas of {name}", status="fail", found=found, advice=advice)
