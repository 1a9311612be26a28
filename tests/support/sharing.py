"""How load spreads over gateways, by their own counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import httpx

from tests.support.kubernetes_site import METRICS, ClusterSite

ACCEPTED = "otelcol_receiver_accepted_"


def accepted(site: ClusterSite, counted: str) -> Counter[str]:
    """Count what each gateway has accepted: ``log_records``, ``metric_points`` or ``spans``."""
    found: Counter[str] = Counter()
    for pod in site.pods("otel-gateway"):
        text = httpx.get(f"http://{pod.address}:{METRICS}/metrics", timeout=30).raise_for_status().text
        values = [
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith(f"{ACCEPTED}{counted}")
        ]
        found[pod.name] = int(sum(values))
    return found


def shares(before: Counter[str], after: Counter[str]) -> Mapping[str, float]:
    """Give each gateway's share of what was accepted in between, from 0 to 1."""
    taken = {name: count - before[name] for name, count in after.items()}
    total = max(1, sum(taken.values()))
    return {name: count / total for name, count in taken.items()}
