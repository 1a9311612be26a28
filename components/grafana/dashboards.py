"""The dashboards of phase 4: those of phases 1 to 3 over its stores, without what does not run; its own."""

from __future__ import annotations

import json
import re
from typing import Any

from components.values.documents import texts

SOURCES = {"prometheus": "mimir", "jaeger": "tempo"}
"""Uid of a data source of phases 1 to 3 -> that of phase 4."""

SINGLE_PROCESS_ONLY = ("traces-path.json", "metrics-path.json", "logs-path.json")
"""Dashboards of programs that phase 4 does not run."""

_ABSENT = "otel-collector|jaeger|haproxy|prometheus|loki"
_OF_ABSENT = re.compile(rf'\bjob=~?"(?:{_ABSENT})(?:\|(?:{_ABSENT}))*"|\bhaproxy_')
"""Queries about programs that phase 4 does not run: they would always be empty."""


def cluster_dashboards() -> dict[str, str]:
    """Return the dashboards of phase 4 by file."""
    shared = {
        path: _adapted(content)
        for path, content in texts("grafana/dashboards", "*.json").items()
        if path not in SINGLE_PROCESS_ONLY
    }
    return shared | texts("grafana-cluster/dashboards", "*.json")


def _adapted(text: str) -> str:
    board = json.loads(text)
    board["panels"] = _present(board["panels"])
    _replace(board)
    return json.dumps(board, indent=2) + "\n"


def _present(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out queries about absent programs, panels that have no others, and rows without a panel."""
    found: list[dict[str, Any]] = []
    for panel in panels:
        copy = dict(panel)
        if "panels" in panel:
            copy["panels"] = _present(panel["panels"])
        if panel.get("targets"):
            copy["targets"] = [one for one in panel["targets"] if not _OF_ABSENT.search(one.get("expr", ""))]
            if not copy["targets"]:
                continue
        if panel["type"] == "row" and found and found[-1]["type"] == "row":
            found.pop()
        found.append(copy)
    return found


def _replace(node: Any) -> None:
    """Point panels at the stores of phase 4."""
    if isinstance(node, list):
        for child in node:
            _replace(child)
    if not isinstance(node, dict):
        return
    source = node.get("datasource")
    if isinstance(source, dict) and source.get("uid") in SOURCES:
        if source["uid"] == "jaeger":
            source["type"] = "tempo"
            node["description"] = node.get("description", "").replace("Jaeger", "Tempo")
        source["uid"] = SOURCES[source["uid"]]
    if node.get("queryType") == "dependencyGraph":
        node["queryType"] = "serviceMap"
    for child in node.values():
        _replace(child)
