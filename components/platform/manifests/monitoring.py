"""What the prometheus-operator's Prometheus needs to watch the stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import yaml

from components.platform.manifests.promql import grouped_by, in_namespace
from components.platform.manifests.scope import Manifest, selector
from components.workload import Workload

_LABELS = [
    {"sourceLabels": ["__meta_kubernetes_pod_name"], "targetLabel": "instance", "action": "replace"},
    {"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node", "action": "replace"},
]


def service_monitor_spec(workload: Workload, port: str) -> Manifest:
    """Return the spec of a ServiceMonitor: job and labels as in the stack's own Prometheus.

    What the API server would add is written out: Argo CD reports what only the cluster has as a difference.
    """
    return {
        "jobLabel": "app.kubernetes.io/name",
        "selector": {"matchLabels": {**selector(workload.name), SCRAPED: "true"}},
        "endpoints": [{"port": port, "path": "/metrics", "interval": "15s", "relabelings": _LABELS}],
    }


SCRAPED = "otel-stack.io/scraped"
"""Label of the one Service of a workload through which it is scraped."""


def rule_groups(files: Mapping[str, str], namespace: str) -> list[Manifest]:
    """Return a PrometheusRule's groups from Prometheus's own rule files, for the series of one namespace.

    Two files may have groups of the same name, one resource may not: the file's name is prefixed. The
    operator's Prometheus may watch other stacks as well, whose series have the same names.
    """
    groups: list[Manifest] = []
    for path, content in sorted(files.items()):
        document: Mapping[str, Any] = yaml.safe_load(content)
        file = PurePath(path).stem
        for group in document["groups"]:
            rules = [_rule_in(rule, namespace) for rule in group["rules"]]
            groups.append({**group, "name": f"{file}-{group['name']}", "rules": rules})
    return groups


def _rule_in(rule: Mapping[str, Any], namespace: str) -> Manifest:
    """Restrict a rule to one namespace: what it reads, and its result, which otherwise lacks that label.

    What is recorded has the label, so everything has to keep it: "or" would else take the same series twice.
    """
    labels = {**rule.get("labels", {}), "namespace": namespace}
    expression = grouped_by(in_namespace(rule["expr"], namespace), "namespace")
    return {**rule, "expr": expression, "labels": labels}
