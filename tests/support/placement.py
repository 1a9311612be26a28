"""How pods of a rendered stack are spread over nodes and zones."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.made import made
from tests.support.manifests import Manifest, Tree
from tests.support.variants_phase4 import ON_CLUSTER

ZONE = "topology.kubernetes.io/zone"


def spread_over_zones(pod: Manifest) -> tuple[str, str | None]:
    """Give what happens where that is impossible, and whether nodes that take none of the pods count."""
    (found,) = (one for one in pod["topologySpreadConstraints"] if one["topologyKey"] == ZONE)
    return found["whenUnsatisfiable"], found.get("nodeTaintsPolicy")


def is_spread(pod: Manifest) -> bool:
    """Tell whether there are several of it."""
    return "topologySpreadConstraints" in pod


def is_kept_apart(pod: Manifest) -> bool:
    """Tell whether each must have a node of its own; all of them are to have one where there is room."""
    (strictness,) = pod["affinity"]["podAntiAffinity"]
    return bool(strictness == "requiredDuringSchedulingIgnoredDuringExecution")


def spread(name: str, how: str, **sections: Any) -> Tree:
    """Run a variant's program with a value of ``kubernetes.spread``."""
    return made(name, kubernetes={**ON_CLUSTER[name]["kubernetes"], "spread": how}, **sections)


PLACED = pytest.mark.parametrize(
    ("how", "over_zones", "apart"),
    [
        ("preferred", ("ScheduleAnyway", None), False),
        ("required", ("ScheduleAnyway", None), True),
        ("zones", ("DoNotSchedule", "Honor"), True),
    ],
)
"""A value of ``spread``, and what it is for the replicas of Kafka, of a store and of Grafana."""
