"""What the provider's settings say about where its objects are, and when that is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.lab.providers import wire
from tests.lab.providers.diff import Change
from tests.lab.providers.kubernetes.kubeconfig import active_cluster
from tests.lab.providers.kubernetes.settings import read

_CLUSTER = ("cluster", "context", "kubeconfig")


def conflicting(config: Mapping[str, Any]) -> list[str]:
    """The settings that name a cluster although files are to be rendered, which is refused."""
    if not config.get("renderYamlToDirectory"):
        return []
    return [name for name in _CLUSTER if config.get(name)]


def replacing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The changed settings; another cluster or another folder replaces every object.

    ``clusterIdentifier`` alone decides that where it is given; adding or removing it replaces nothing.
    """
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    before, now = old.get("clusterIdentifier"), new.get("clusterIdentifier")
    causes: set[str] = set()
    if before and now:
        causes = {"clusterIdentifier"}
    else:
        causes = {"renderYamlToDirectory"} | (set(_CLUSTER) if _is_elsewhere(old, new) else set())
    return [Change(path=name, kind="update", replaces=name in causes) for name in changed]


def _is_elsewhere(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if any(wire.has_unknown(new.get(name)) for name in _CLUSTER):
        return True
    before, now = (active_cluster(read(config, {})) for config in (old, new))
    return before is not None and now is not None and before != now
