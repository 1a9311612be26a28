"""How Tempo, Mimir and Loki are divided into workloads, and which of these serves what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from components.sections.stores import Shape

Role = Literal["keeper", "writer", "reader", "backend"]
"""Holds what is not yet in the bucket; receives what is to be stored; answers queries; for Mimir and Loki,
does everything else, including the Alertmanager and the compactor."""

ALL: frozenset[Role] = frozenset(("keeper", "writer", "reader", "backend"))


@dataclass(frozen=True, kw_only=True)
class StorePart:
    """One workload of a store.

    Attributes:
        name: the workload.
        target: the program's own parts that it runs.
        roles: what it does for others.
    """

    name: str
    target: str
    roles: frozenset[Role] = frozenset()


def _part(name: str, target: str, *roles: Role) -> StorePart:
    return StorePart(name=name, target=target, roles=frozenset(roles))


# Rulers run where queries are answered: clients ask Mimir or Loki for data and rules at the same address.
PARTS: Mapping[str, Mapping[Shape, tuple[StorePart, ...]]] = {
    "tempo": {
        "single": (_part("tempo", "scalable-single-binary", *ALL),),
        "split": (
            _part("tempo", "ingester", "keeper"),
            _part("tempo-distributor", "distributor", "writer"),
            _part("tempo-querier", "querier"),
            _part("tempo-query-frontend", "query-frontend", "reader"),
            _part("tempo-compactor", "compactor"),
            _part("tempo-metrics-generator", "metrics-generator"),
        ),
    },
    "mimir": {
        "single": (_part("mimir", "all,alertmanager", *ALL),),
        "split": (
            _part("mimir", "distributor,ingester", "keeper", "writer"),
            _part("mimir-read", "query-frontend,querier,ruler", "reader"),
            _part("mimir-backend", "query-scheduler,store-gateway,compactor,alertmanager", "backend"),
        ),
    },
    "loki": {
        "single": (_part("loki-cluster", "all", *ALL),),
        "split": (
            _part("loki-cluster", "distributor,ingester", "keeper", "writer"),
            _part("loki-read", "query-frontend,querier,ruler", "reader"),
            _part("loki-backend", "query-scheduler,compactor", "backend"),
        ),
    },
}
"""Store -> shape -> its workloads; the first one keeps data, and is the same in both shapes."""
