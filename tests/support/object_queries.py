"""Every query that phase 4 ships, as the objects in its cluster have them, and what may be empty and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tests.support.manifests import Tree
from tests.support.queries import PanelQuery, dashboard_queries, link_queries, rule_queries

RULERS = {"mimir": "mimir", "loki-cluster": "loki"}
"""Workload whose rulers evaluate rules -> data source that answers them."""

ONLY_IN_TROUBLE = "counts refusals, failures or losses: a healthy stack has none"
EMPTY: Mapping[tuple[str, str], str] = {
    ("stores", "Ring members"): "shows members that are not active",
    ("stores", "Failed requests"): ONLY_IN_TROUBLE,
    ("stack-health", "Firing alerts"): "the Watchdog is left out",
    ("buffer", "Dead letters"): ONLY_IN_TROUBLE,
    ("buffer", "Failed connections"): ONLY_IN_TROUBLE,
    ("buffer", "Records not written"): ONLY_IN_TROUBLE,
    ("gateways", "Not sent"): ONLY_IN_TROUBLE,
    ("processors", "Refused for good"): ONLY_IN_TROUBLE,
}
"""(dashboard or file, panel) -> why a young, healthy stack with a little load has nothing to show."""

TROUBLE = re.compile(r"discarded|_failed|failures?_total|failed_total|errors_total|enqueue_failed|refused")


def object_queries(tree: Tree) -> Iterator[PanelQuery]:
    """Find every query of Grafana's dashboards and links, and of the rules of Mimir and Loki."""
    programs = {program.name: program for program in tree.programs()}
    for path, text in tree.files(programs["grafana"]).items():
        if path.startswith("dashboards/"):
            yield from dashboard_queries(json.loads(text))
        if path.startswith("provisioning/datasources/"):
            yield from link_queries(path.rpartition("/")[2], text)
    for workload, source in RULERS.items():
        for path, text in tree.files(programs[workload]).items():
            if path.startswith("rules/"):
                found = rule_queries(path.rpartition("/")[2], text)
                yield from (replace(query, datasource_uid=source) for query in found)


def why_empty(query: PanelQuery) -> str:
    """Tell why a query may find nothing on a healthy stack; nothing where it must find something."""
    if query.is_alert:
        return "" if query.panel == "Watchdog" else "an alert of a healthy stack does not fire"
    return EMPTY.get((query.dashboard, query.panel)) or (
        ONLY_IN_TROUBLE if TROUBLE.search(query.expr) else ""
    )
