"""Every query that phase 4 ships, as the objects in its cluster have them, and which may be empty and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from components.platform.manifests.promql import selectors
from tests.support.manifests import Tree
from tests.support.queries import (
    PanelQuery,
    dashboard_queries,
    grafana_alert_queries,
    link_queries,
    rule_queries,
)

RULERS = {"mimir": "mimir", "loki-cluster": "loki", "prometheus": "prometheus"}
"""Workload that evaluates rules -> data source that answers them. Phase 3's Prometheus stays for a while."""

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

OF_COPIER = "of kafka.copyTo"
ABSENT: Mapping[str, str] = {
    "kafka:copy_": OF_COPIER,
    "prometheus_tsdb_": "of a Prometheus that stores, and the agent does not",
    "attributes_truncated": "counts what is cut off",
    "ingest:certificate_end": "of ingest.tls, which phases 1 and 2 have",
    "mutated_samples": "counts lines that are too long",
    "datapoints_filtered": "counts what no store takes",
}
"""Part of a series' name -> why a young, healthy stack has none."""

ANSWERED = ("Watchdog", "RulesNotEvaluated")
"""Alerts whose expressions always have an answer: one always fires, the other counts it."""

TROUBLE = re.compile(r"discarded|_failed|failures?_total|failed_total|errors_total|enqueue_failed|refused")
"""Series that appear with the first failure; tests/configs/test_series_names.py looks for their names."""

FROM_THE_START = frozenset(
    {
        "cortex_prometheus_rule_evaluation_failures_total",
        "loki_ingester_chunks_flush_failures_total",
        "loki_prometheus_rule_evaluation_failures_total",
        "prometheus_remote_storage_samples_failed_total",
        "tempo_ingester_failed_flushes_total",
        "tempodb_compaction_errors_total",
        "thanos_objstore_bucket_operation_failures_total",
    }
)
"""Series that count failures and are there, with 0, before the first."""


def object_queries(tree: Tree) -> Iterator[PanelQuery]:
    """Find every query of Grafana's dashboards, links and alerts, and of the rules of the stores."""
    programs = {program.name: program for program in tree.programs()}
    for path, text in tree.files(programs["grafana"]).items():
        if path.startswith("dashboards/"):
            yield from dashboard_queries(json.loads(text))
        if path.startswith("provisioning/datasources/"):
            yield from link_queries(path.rpartition("/")[2], text)
        if path.startswith("provisioning/alerting/"):
            yield from grafana_alert_queries(path.rpartition("/")[2], text)
    for workload in RULERS.keys() & programs.keys():
        for path, text in tree.files(programs[workload]).items():
            if path.startswith("rules/"):
                yield from rule_queries(path.rpartition("/")[2], text, source=RULERS[workload])


def alert_series(queries: Iterable[PanelQuery]) -> set[str]:
    """Find the series that the alerts on Mimir use: names of metrics, or matchers where there is no name."""
    alerts = [query.expr for query in queries if query.is_alert and query.datasource_uid == "mimir"]
    return {one.name or f"{{{one.matchers}}}" for expression in alerts for one in selectors(expression)}


def why_absent(series: str) -> str:
    """Say why a healthy stack of phase 4 has no such series; nothing where it must have some."""
    if TROUBLE.search(series) and series not in FROM_THE_START:
        return ONLY_IN_TROUBLE
    return next((reason for part, reason in ABSENT.items() if part in series), "")


def why_empty(query: PanelQuery) -> str:
    """Say why a query may find nothing on a healthy stack; nothing where it must find something."""
    if query.is_alert:
        return "" if query.panel in ANSWERED else "an alert of a healthy stack does not fire"
    if 'job="otel-copier"' in query.expr:
        return OF_COPIER
    return EMPTY.get((query.dashboard, query.panel)) or (
        ONLY_IN_TROUBLE if TROUBLE.search(query.expr) else ""
    )
