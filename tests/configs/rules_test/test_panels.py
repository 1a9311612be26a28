"""What a panel of a dashboard shows of made-up series, worked out by Prometheus's tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.values.documents import CONFIGS
from tests.configs.rules_test.test_rules import run
from tests.support.queries import dashboard_queries

LAG, OFFSET = "otelcol_kafka_receiver_offset_lag", "otelcol_kafka_receiver_current_offset"


def test_records_behind_are_those_of_the_processor_that_has_the_partition_now(
    promtool: str, tmp_path: Path
) -> None:
    """One that handed a partition over goes on saying what it last saw of it, until it ends."""
    board = json.loads((CONFIGS / "grafana/dashboards/buffer.json").read_text())
    queries = [one.expr for one in dashboard_queries(board) if one.panel == "Records behind"]
    labels = 'job="otel-processor", topic="otlp-logs"'
    values = {
        f'{LAG}{{{labels}, instance="a", partition="0"}}': 5000,
        f'{OFFSET}{{{labels}, instance="a", partition="0"}}': 100,
        f'{LAG}{{{labels}, instance="b", partition="0"}}': 2,
        f'{OFFSET}{{{labels}, instance="b", partition="0"}}': 9000,
        f'{LAG}{{{labels}, instance="a", partition="1"}}': 40,
        f'{OFFSET}{{{labels}, instance="a", partition="1"}}': 7,
        f'{LAG}{{{labels}, instance="b", partition="1"}}': 40,
        f'{OFFSET}{{{labels}, instance="b", partition="1"}}': 7,
    }
    case: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{value}x5"} for name, value in values.items()],
        "promql_expr_test": [
            {
                "expr": queries[0],
                "eval_time": "4m",
                "exp_samples": [{"labels": f"{{{labels}}}", "value": 42}],
            }
        ],
    }
    path = tmp_path / "case.yaml"
    path.write_text(json.dumps({"tests": [case]}))
    run(promtool, "test", "rules", path)
