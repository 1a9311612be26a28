"""Grafana's own alert, worked out by Prometheus's tool: what it asks Mimir, and its threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.values.documents import CONFIGS
from tests.configs.rules_test.test_rules import run

WATCHDOG = 'ALERTS{alertname="Watchdog", alertstate="firing", severity="none"}'
SIGNS = {"lt": "<", "gt": ">"}


@pytest.fixture(scope="module")
def condition() -> str:
    """Give an expression that has a value when the alert's condition is met."""
    path = CONFIGS / "grafana-cluster/provisioning/alerting/rules.yaml"
    (group,) = yaml.safe_load(path.read_text())["groups"]
    (rule,) = group["rules"]
    models = {data["refId"]: data["model"] for data in rule["data"]}
    met = models[rule["condition"]]
    (evaluator,) = (one["evaluator"] for one in met["conditions"])
    (limit,) = evaluator["params"]
    return f"({models[met['expression']]['expr']}) {SIGNS[evaluator['type']]} {limit}"


@pytest.mark.parametrize(
    ("values", "met"),
    [("1x20", False), ("1x10 stale", True), ("_x30", True), ("_x15 1x5", False)],
)
def test_it_fires_when_the_watchdog_is_gone(
    promtool: str, condition: str, tmp_path: Path, values: str, *, met: bool
) -> None:
    expected = {"exp_samples": [{"labels": "{}", "value": 0}]} if met else {}
    case: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": WATCHDOG, "values": values}],
        "promql_expr_test": [{"expr": condition, "eval_time": "20m", **expected}],
    }
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump({"tests": [case]}))
    run(promtool, "test", "rules", path)
