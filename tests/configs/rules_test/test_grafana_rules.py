"""Grafana's own alerts, worked out by Prometheus's tool: what they ask Mimir, and their thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.values.documents import CONFIGS
from tests.configs.rules_test.test_rules import run

WATCHDOG = 'ALERTS{alertname="Watchdog", alertstate="firing", severity="none"}'
REFUSED, PENDING, OF_LOKI = (
    f'ALERTS{{alertname="AlertsNotHandedOver", alertstate="{state}", job="{job}"}}'
    for state, job in (("firing", "mimir-read"), ("pending", "mimir-read"), ("firing", "loki-cluster"))
)
UNSENT = 'ALERTS{alertname="NotificationsFailing", alertstate="firing", integration="slack"}'
SIGNS = {"lt": "<", "gt": ">"}


def condition(title: str) -> str:
    """Give an expression that has a value when an alert's condition is met."""
    path = CONFIGS / "grafana-cluster/provisioning/alerting/rules.yaml"
    (group,) = yaml.safe_load(path.read_text())["groups"]
    (rule,) = (rule for rule in group["rules"] if rule["title"] == title)
    models = {data["refId"]: data["model"] for data in rule["data"]}
    met = models[rule["condition"]]
    (evaluator,) = (one["evaluator"] for one in met["conditions"])
    (limit,) = evaluator["params"]
    return f"({models[met['expression']]['expr']}) {SIGNS[evaluator['type']]} {limit}"


@pytest.mark.parametrize(
    ("title", "series", "values", "met"),
    [
        ("RulesNotEvaluated", WATCHDOG, "1x20", None),
        ("RulesNotEvaluated", WATCHDOG, "1x10 stale", 0),
        ("RulesNotEvaluated", WATCHDOG, "_x30", 0),
        ("RulesNotEvaluated", WATCHDOG, "_x15 1x5", None),
        ("AlertsNotHandedOver", REFUSED, "_x15 1x5", 1),
        ("AlertsNotHandedOver", REFUSED, "1x10 stale", None),
        ("AlertsNotHandedOver", PENDING, "1x20", None),
        ("AlertsNotHandedOver", OF_LOKI, "1x20", None),
        ("NotificationsFailing", UNSENT, "_x15 1x5", 1),
        ("NotificationsFailing", UNSENT, "1x10 stale", None),
        ("NotificationsFailing", WATCHDOG, "1x20", None),
    ],
)
def test_it_fires_when_its_condition_is_met(
    promtool: str, tmp_path: Path, title: str, series: str, values: str, met: int | None
) -> None:
    expected = {} if met is None else {"exp_samples": [{"labels": "{}", "value": met}]}
    case: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values}],
        "promql_expr_test": [{"expr": condition(title), "eval_time": "20m", **expected}],
    }
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump({"tests": [case]}))
    run(promtool, "test", "rules", path)
