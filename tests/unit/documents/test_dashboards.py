"""Dashboards, data sources and alerts fit together: names, uids, links, runbooks."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.data_sources import links, links_of_every_phase, mentions
from tests.support.queries import (
    DASHBOARDS,
    DATASOURCES,
    NEEDS_MORE,
    OPERATOR_RULES,
    RULES,
    PanelQuery,
    expand,
    iter_queries,
    may_be_empty,
    panels,
)

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"
FILES = sorted(CONFIGS.glob(DASHBOARDS))
BOARDS: list[dict[str, Any]] = [json.loads(path.read_text()) for path in FILES]
SOURCES: dict[str, dict[str, Any]] = {
    source["uid"]: source for source in yaml.safe_load((CONFIGS / DATASOURCES).read_text())["datasources"]
}
ALERTS = [
    rule
    for pattern in (RULES, OPERATOR_RULES)
    for path in sorted(CONFIGS.glob(pattern))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
PHASE_ONE = {"stack-health", "traces-path", "metrics-path", "logs-path", "red"}
PHASE_TWO = {"buffer", "gateways", "processors"}

each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])


def test_every_phase_has_its_dashboards() -> None:
    uids = [board["uid"] for board in BOARDS]
    assert set(uids) >= PHASE_ONE | PHASE_TWO
    assert [path.stem for path in FILES] == uids, "a file is named as its dashboard's uid"
    assert len({board["title"] for board in BOARDS}) == len(BOARDS)


@each_board
def test_panels_have_ids_titles_and_descriptions_of_their_own(board: dict[str, Any]) -> None:
    for key in ("id", "title"):
        counts = Counter(panel[key] for panel in panels(board))
        assert [value for value, count in counts.items() if count > 1] == [], key
    assert [
        panel["title"] for panel in panels(board) if panel["type"] != "row" and not panel["description"]
    ] == []


@each_board
def test_only_known_data_sources_are_named(board: dict[str, Any]) -> None:
    for named in mentions(board, "datasource"):
        assert named == {"type": SOURCES[named["uid"]]["type"], "uid": named["uid"]}


@each_board
def test_a_dashboard_follows_the_viewers_time_zone_and_cannot_be_edited_in_place(
    board: dict[str, Any],
) -> None:
    assert list(mentions(board, "timezone")) == []
    assert board["editable"] is False


@each_board
def test_panels_do_not_overlap(board: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels(board):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                assert other == panel["title"], f"{other} and {panel['title']}"


@each_board
def test_graphs_have_units_and_queries_legends(board: dict[str, Any]) -> None:
    for panel in panels(board):
        if panel["type"] in {"timeseries", "bargauge", "gauge"}:
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]


def test_data_sources_link_to_each_other() -> None:
    assert links(SOURCES.values()) == links_of_every_phase("jaeger", "prometheus", "loki")
    assert all(source["editable"] is False for source in SOURCES.values())
    assert [uid for uid, source in SOURCES.items() if source.get("isDefault")] == ["prometheus"]


def test_every_alert_says_what_to_do() -> None:
    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"critical", "warning", "none"}, alert["alert"]
        notes = alert["annotations"]
        assert set(notes) == {"summary", "description", "runbook_url"}, alert["alert"]
        if alert["alert"] != "Watchdog":
            assert "$value" in notes["description"] or alert["alert"] == "InstanceDown", alert["alert"]
            assert "allowed" in notes["description"], alert["alert"]


def test_every_alert_has_a_section_in_the_runbook_and_every_section_an_alert() -> None:
    runbook = (ROOT / "docs/runbooks/alerts.md").read_text()
    sections = re.findall(r"^## (\w+)$", runbook, re.MULTILINE)
    assert sorted(sections) == sorted(alert["alert"] for alert in ALERTS)
    for alert in ALERTS:
        assert alert["annotations"]["runbook_url"] == f"runbooks/alerts.md#{alert['alert'].lower()}"
    below = re.findall(r"^### (.+)$", runbook, re.MULTILINE)
    anchors = {section.lower().replace(" ", "-") for section in (*sections, *below)}
    assert set(re.findall(r"\]\(#([^)]+)\)", runbook)) <= anchors


def named(rules: Any) -> Iterator[str]:
    """Names of the alerts of a rule file, Prometheus's or Grafana's."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            if name := rule.get("alert") or rule.get("title"):
                yield name


@pytest.mark.parametrize(
    "path",
    [
        "mimir/rules/dumps.yaml",
        "mimir/rules/stores.yaml",
        "loki/rules/logs.yaml",
        "grafana-cluster/provisioning/alerting/rules.yaml",
    ],
)
def test_every_alert_of_phase_four_has_its_section_in_the_runbook(path: str) -> None:
    content = (CONFIGS / path).read_text()
    runbook = (ROOT / "docs/runbooks/alerts-phase4.md").read_text()
    sections = re.findall(r"^## (\w+)$", runbook, re.MULTILINE)
    names = list(named(yaml.safe_load(content)))
    assert names
    for name in names:
        assert name in sections
        assert f"runbooks/alerts-phase4.md#{name.lower()}" in content


def test_queries_of_every_kind_are_found() -> None:
    found = list(iter_queries(CONFIGS))
    assert {query.datasource_uid for query in found} == set(SOURCES)
    assert {query.dashboard for query in found} >= PHASE_ONE | {"datasources.yaml", "alerts.yaml"}
    assert (
        PanelQuery(dashboard="red", panel="Service map", datasource_uid="jaeger", expr="dependencyGraph")
        in found
    )
    assert "jaeger: trace to logs" in {query.panel for query in found}


def test_queries_that_may_be_empty_exist() -> None:
    empty = [query for query in iter_queries(CONFIGS) if may_be_empty(query)]
    assert {(query.dashboard, query.panel) for query in empty} >= NEEDS_MORE


@pytest.mark.parametrize(
    ("expr", "asked"),
    [
        ("rate(a[$__rate_interval])", "rate(a[1m])"),
        ('up{service_name=~"$service"}', 'up{service_name=~".+"}'),
        ('{a=~".+"} | trace_id="${__trace.traceId}"', '{a=~".+"} | trace_id="' + "0" * 32 + '"'),
        ('label_replace(a, "b", "$1", "c", "x$")', 'label_replace(a, "b", "$1", "c", "x$")'),
    ],
)
def test_variables_are_expanded(expr: str, asked: str) -> None:
    assert expand(expr) == asked
