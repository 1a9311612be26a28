"""Every query that the stack ships: of dashboards and their variables, of data source links, of rules.

``iter_queries`` finds those of phases 1 to 3, ``all_queries`` those of every phase, ``execute`` asks the real
store. A query is checked by being run: nothing here parses PromQL or LogQL.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from ops.web import tenant_header

DASHBOARDS = "grafana/dashboards/*.json"
DATASOURCES = "grafana/provisioning/datasources/datasources.yaml"
RULES = "prometheus/rules/*.yaml"
OPERATOR_RULES = "prometheus/rules-operator/*.yaml"

_VARIABLES = {
    "__rate_interval": "1m",
    "__auto": "1m",
    "__interval": "15s",
    "__range": "1h",
    "__tags": 'span_name=~".+"',
    "__trace.traceId": "0" * 32,
}
_ONLY_IN_TROUBLE = ("enqueue_failed", "loki_discarded", "loki:discarded")
NEEDS_MORE = {
    ("stack-health", "Firing alerts"),
    ("traces-path", "Queries"),  # somebody must have queried Jaeger
    ("traces-path", "Query duration, 95th percentile"),
    ("logs-path", "Since retention last ran"),  # some ten minutes after the start
    ("recording.yaml", "program:expected:replicas"),  # ten minutes after the start
    ("datasources.yaml", "jaeger: trace to logs"),  # a real trace id
    ("buffer", "Dead letters"),
    ("buffer", "Failed connections"),
    ("buffer", "Records not written"),
    ("gateways", "Not sent"),
    ("processors", "Refused for good"),
}
ABOUT_BUFFER = {"buffer", "gateways", "processors", "buffer.yaml", "copies.yaml", "haproxy.yaml"}
"""Dashboards and rules about programs that run from phase 2 on."""

OF_ALERTS = {"alerts.yaml", "buffer.yaml", "copies.yaml", "haproxy.yaml", "own.yaml"}
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][\w.]*)\}|([A-Za-z_]\w*))")
_LABEL_VALUES = re.compile(r"label_values\((?:(.+),\s*)?(\w+)\)")


@dataclass(frozen=True, kw_only=True)
class PanelQuery:
    """One query and where it stands.

    Attributes:
        dashboard: uid of the dashboard, or name of the file.
        panel: title of the panel, name of the alert, or what the link does.
        datasource_uid: the data source that answers it.
        expr: the query as it stands in the file; for Jaeger and Tempo the query's type.
        is_alert: it belongs to an alert.
    """

    dashboard: str
    panel: str
    datasource_uid: str
    expr: str
    is_alert: bool = False

    def __str__(self) -> str:
        """Name the query for a test's report."""
        return f"{self.dashboard}: {self.panel}: {self.expr}"


def iter_queries(root: Path) -> Iterator[PanelQuery]:
    """Find every query under a ``configs`` folder."""
    for path in sorted(root.glob(DASHBOARDS)):
        yield from dashboard_queries(json.loads(path.read_text()))
    links = root / DATASOURCES
    yield from link_queries(links.name, links.read_text())
    for path in sorted(root.glob(RULES)):
        yield from rule_queries(path.name, path.read_text())


def all_queries(root: Path) -> Iterator[PanelQuery]:
    """Find every query of every phase under a ``configs`` folder, whoever evaluates it."""
    for path in sorted(root.glob("grafana*/dashboards/*.json")):
        yield from dashboard_queries(json.loads(path.read_text()))
    for path in sorted(root.glob("grafana*/provisioning/datasources/*.yaml")):
        yield from link_queries(path.name, path.read_text())
    for path in sorted(root.glob("grafana*/provisioning/alerting/*.yaml")):
        yield from grafana_alert_queries(path.name, path.read_text())
    for path in sorted(root.glob("*/rules*/*.yaml")):
        yield from rule_queries(path.name, path.read_text(), source=path.relative_to(root).parts[0])


def panels(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every panel of a dashboard, those in collapsed rows as well."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def dashboard_queries(dashboard: Mapping[str, Any]) -> Iterator[PanelQuery]:
    """Find the queries of a dashboard and of its variables."""
    uid = dashboard["uid"]
    for variable in dashboard["templating"]["list"]:
        yield PanelQuery(
            dashboard=uid,
            panel=f"variable {variable['name']}",
            datasource_uid=variable["datasource"]["uid"],
            expr=variable["query"]["query"],
        )
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield PanelQuery(
                dashboard=uid,
                panel=panel["title"],
                datasource_uid=target.get("datasource", panel["datasource"])["uid"],
                expr=target.get("expr") or target["queryType"],
            )


def link_queries(file: str, text: str) -> Iterator[PanelQuery]:
    """Find the queries of the links between data sources."""
    for source in yaml.safe_load(text.replace("$$", "$"))["datasources"]:
        options = source["jsonData"]
        logs = options.get("tracesToLogsV2", {})
        metrics = options.get("tracesToMetrics", {})
        links = [("trace to logs", logs, logs["query"])] if logs else []
        links += [(f"trace to {each['name']}", metrics, each["query"]) for each in metrics.get("queries", [])]
        for name, link, expr in links:
            yield PanelQuery(
                dashboard=file,
                panel=f"{source['uid']}: {name}",
                datasource_uid=link["datasourceUid"],
                expr=expr,
            )


def grafana_alert_queries(file: str, text: str) -> Iterator[PanelQuery]:
    """Find what Grafana asks for its own alerts; whether they fire, it works out itself."""
    for group in yaml.safe_load(text).get("groups", []):
        for rule in group["rules"]:
            for data in rule["data"]:
                if data["datasourceUid"] != "__expr__":
                    yield PanelQuery(
                        dashboard=file,
                        panel=rule["title"],
                        datasource_uid=data["datasourceUid"],
                        expr=data["model"]["expr"],
                        is_alert=True,
                    )


def rule_queries(file: str, text: str, *, source: str = "prometheus") -> Iterator[PanelQuery]:
    """Find the expressions of rules that a data source evaluates."""
    for group in yaml.safe_load(text)["groups"]:
        for rule in group["rules"]:
            yield PanelQuery(
                dashboard=file,
                panel=rule.get("alert") or rule["record"],
                datasource_uid=source,
                expr=rule["expr"],
                is_alert="alert" in rule,
            )


def may_be_empty(query: PanelQuery, *, phase: int = 1) -> bool:
    """True for a query that finds nothing on a young, healthy stack with a little load; all others must."""
    if phase == 1 and query.dashboard in ABOUT_BUFFER:
        return True
    if query.dashboard in OF_ALERTS and ":" not in query.panel:
        return query.panel != "Watchdog"
    return (query.dashboard, query.panel) in NEEDS_MORE or any(
        part in query.expr for part in _ONLY_IN_TROUBLE
    )


def expand(expr: str, values: Mapping[str, str] | None = None) -> str:
    """Put values in the place of Grafana's variables, as Grafana does; a dashboard's own mean "all".

    ``values`` are used before the built-in ones, such as ``{"__trace.traceId": "5b8e..."}``.
    """
    known = {**_VARIABLES, **(values or {})}
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], ".+"), expr)


def execute(
    query: PanelQuery,
    addresses: Mapping[str, str],
    *,
    lookback: float = 3600,
    values: Mapping[str, str] | None = None,
    tenant: str = "",
) -> int:
    """Ask the store for the last ``lookback`` seconds and count the series, streams, edges or values it has.

    ``addresses`` maps a data source's uid to its address, ``values`` a variable to its meaning;
    ``tenant`` names whose data is queried.

    :raises httpx.HTTPStatusError: when the store does not accept the query; the message has its answer.
    """
    address, expr = addresses[query.datasource_uid], expand(query.expr, values)
    end = time.time()
    match query.datasource_uid:
        case "prometheus" | "mimir" if label := _LABEL_VALUES.fullmatch(expr):
            params = {"match[]": label[1]} if label[1] else {}
            return len(_get(f"{address}/api/v1/label/{label[2]}/values", params, tenant))
        case "prometheus" | "mimir":
            params = {"query": expr, "start": str(end - lookback), "end": str(end), "step": "15"}
            return len(_get(f"{address}/api/v1/query_range", params, tenant)["result"])
        case "loki":
            nanoseconds = {"start": f"{end - lookback:.0f}000000000", "end": f"{end:.0f}000000000"}
            params = {"query": expr, **nanoseconds}
            return len(_get(f"{address}/loki/api/v1/query_range", params, tenant)["result"])
        case "tempo" if expr == "serviceMap":  # Grafana draws it from the metrics that Tempo writes
            params = {"query": "traces_service_graph_request_total"}
            return len(_get(f"{addresses['mimir']}/api/v1/query", params, tenant)["result"])
        case "jaeger" if expr == "dependencyGraph":
            milliseconds = {"endTs": f"{end * 1000:.0f}", "lookback": f"{lookback * 1000:.0f}"}
            return len(_get(f"{address}/api/dependencies", milliseconds))
    raise ValueError(f"it is not known how to ask {query.datasource_uid!r} for {expr!r}")


def _get(url: str, params: Mapping[str, str], tenant: str = "") -> Any:
    answer = httpx.get(url, params=dict(params), headers=tenant_header(tenant), timeout=30)
    if answer.is_error:
        message = f"{answer.status_code} from {url}: {answer.text} (asked: {dict(params)})"
        raise httpx.HTTPStatusError(message, request=answer.request, response=answer)
    return answer.json()["data"]
