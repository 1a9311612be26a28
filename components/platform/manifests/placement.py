"""Where pods may run, and how they are spread over nodes and zones: the stack's own, and an operator's."""

from __future__ import annotations

from dataclasses import asdict

from components.platform.manifests.scope import Manifest
from components.sections.kubernetes import KubernetesSection, Toleration

ZONE, NODE = "topology.kubernetes.io/zone", "kubernetes.io/hostname"

ONLY_COPY = {"otel-stack.io/only-copy": "true"}
"""Label of a pod whose data has no replica: a lost node should not take several of them."""


def tolerations(section: KubernetesSection) -> list[Manifest]:
    """Return the node taints that pods tolerate."""
    return [_toleration(one) for one in section.tolerations]


def _toleration(given: Toleration) -> Manifest:
    operator = given.operator or ("Exists" if given.value is None else "Equal")
    stated = {**asdict(given), "operator": operator}
    return {key: value for key, value in stated.items() if value is not None}


def over_zones(section: KubernetesSection, pods: Manifest, *, peers: bool) -> Manifest:
    """Spread pods over zones; for peers this is mandatory if the settings ask for it."""
    return _evenly(ZONE, pods, required=peers and section.spread == "zones")


def over_nodes(pods: Manifest) -> Manifest:
    """Spread pods over nodes, as far as there is room."""
    return _evenly(NODE, pods, required=False)


def must_be_apart(section: KubernetesSection) -> bool:
    """Tell whether each pod of peers must have a node of its own."""
    return section.spread != "preferred"


def apart(pods: Manifest, *, required: bool) -> Manifest:
    """Return the affinity of pods that are to be on separate nodes."""
    term = {**pods, "topologyKey": NODE}
    if required:
        return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    wish = {"weight": 100, "podAffinityTerm": term}
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}


def _evenly(topology: str, pods: Manifest, *, required: bool) -> Manifest:
    """Spread pods over zones or nodes; one that accepts no pods, drained or lost, does not count."""
    how: Manifest = {"whenUnsatisfiable": "ScheduleAnyway"}
    if required:
        how = {"whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor"}
    return {"maxSkew": 1, "topologyKey": topology, **how, **pods}
