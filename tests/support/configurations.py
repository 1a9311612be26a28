"""The ConfigMaps of a stack in a cluster: those that there are, and those that its pods use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.kubernetes_site import ClusterSite


def configurations(site: ClusterSite) -> set[str]:
    """Name those in the stack's namespace, but for Kubernetes' own."""
    found = json.loads(site.kubectl("get", "configmaps", "--output=json"))["items"]
    return {one["metadata"]["name"] for one in found} - {"kube-root-ca.crt"}


def mounted(site: ClusterSite) -> set[str]:
    """Name those that a pod mounts."""
    return {name for pod in site.pods() for name in _named(pod.spec["volumes"])}


def _named(volumes: list[dict[str, Any]]) -> Iterator[str]:
    for volume in volumes:
        sources = [volume, *volume.get("projected", {}).get("sources", [])]
        for source in sources:
            if "configMap" in source and "kube-api-access" not in volume["name"]:
                yield source["configMap"]["name"]
