"""What health asks Prometheus about losses, evaluated by Prometheus's own tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops.health.pipeline import LOSSES, SIGNALS, loss_query
from tests.configs.rules_test.test_rules import run

ALL = [(loss, signal) for loss in LOSSES for signal in SIGNALS]


@pytest.mark.parametrize(
    ("samples", "now", "count"),
    [
        ("_x8 3x60", "10m", 3),
        ("_x8 3x120", "20m", None),
        ("_x8 3x8 _x60", "10m", 3),
        ("7x40 _x8 2x20", "17m", 2),
        ("7x200", "40m", None),
        ("7x100 stale 7x100", "40m15s", None),
        ("0x90 0+1x90", "40m", 60),
    ],
    ids=["first", "first, long ago", "first, and gone", "after a restart", "none", "a failed scrape", "more"],
)
def test_a_loss_is_counted_for_a_window(
    promtool: str, tmp_path: Path, samples: str, now: str, count: int | None
) -> None:
    series = [
        {"series": f'{loss.metric}_{signal}{{job="any", {loss.by}="otlp"}}', "values": samples}
        for loss, signal in ALL
    ]
    asked = [
        {
            "expr": f"round({loss_query(loss, signal, '15m')})",
            "eval_time": now,
            "exp_samples": []
            if count is None
            else [{"labels": f'{{job="any", {loss.by}="otlp"}}', "value": count}],
        }
        for loss, signal in ALL
    ]
    case = {"interval": "15s", "input_series": series, "promql_expr_test": asked}
    path = tmp_path / "case.yaml"
    path.write_text(json.dumps({"rule_files": [], "tests": [case]}))
    run(promtool, "test", "rules", path)
