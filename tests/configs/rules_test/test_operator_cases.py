"""The cases of the stack's own rules, run against the copy that a cluster's own Prometheus gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.platform.manifests.monitoring import rule_groups
from tests.configs.rules_test.test_rules import CASES, HERE, run

MARKED = 'namespace="n"'


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_the_copy_fires_when_the_original_should(promtool: str, case: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(case.read_text())
    paths = [path for pattern in document["rule_files"] for path in HERE.glob(pattern)]
    files = {path.name: path.read_text() for path in paths}
    copy = tmp_path / "copy.yaml"
    copy.write_text(yaml.safe_dump({"groups": rule_groups(files, "n")}))
    document["rule_files"] = [copy.name]
    document["tests"] = [_marked(one) for one in document["tests"]]
    target = tmp_path / case.name
    target.write_text(yaml.safe_dump(document))
    run(promtool, "test", "rules", target)


def _marked(test: dict[str, Any]) -> dict[str, Any]:
    """Give every series of a case the label that the operator gives, and expect it."""
    for series in test["input_series"]:
        series["series"] = _with_label(series["series"])
    for asked in test.get("promql_expr_test", []):
        for sample in asked.get("exp_samples", []):
            sample["labels"] = _with_label(sample["labels"])
    for asked in test.get("alert_rule_test", []):
        for alert in asked.get("exp_alerts", []):
            alert["exp_labels"] = {**alert.get("exp_labels", {}), "namespace": "n"}
    return test


def _with_label(series: str) -> str:
    """Add the label, once: the cases share some of their series."""
    if MARKED in series:
        return series
    return series.replace("{", f"{{{MARKED}, ", 1) if "{" in series else f"{series}{{{MARKED}}}"
