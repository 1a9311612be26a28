"""Every alert on Prometheus or Mimir has made-up series in which it fires, and in which it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from components.platform.manifests.promql import selectors
from tests.configs.rules_test.test_rules import CASES, RULES
from tests.support.series import series_names

SHIPPED: list[dict[str, Any]] = [
    rule
    for path in RULES
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
RECORDED: list[tuple[str, str]] = [(rule["record"], rule["expr"]) for rule in SHIPPED if "record" in rule]
ALERTS: dict[str, str] = {rule["alert"]: rule["expr"] for rule in SHIPPED if "alert" in rule}
ALWAYS_FIRES = {"Watchdog"}
"""It shows that rules are evaluated; its case is an ``alert_rule_test``."""

NAMED = re.compile(r'alertname(=~|!=|=)"([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a case says about alerts at one time.

    Attributes:
        which: pattern of the alerts' names it asks for.
        but: an alert that it leaves out.
        firing: names of those that fire.
        series: names of the series there are.
    """

    which: str
    but: str
    firing: frozenset[str]
    series: frozenset[str]

    def is_silent(self, alert: str) -> bool:
        """Say whether an alert does not fire although there are series that it looks at."""
        asked_for = re.fullmatch(self.which, alert) is not None and alert != self.but
        return asked_for and alert not in self.firing and any(map(self._has, looked_at(ALERTS[alert])))

    def _has(self, pattern: str) -> bool:
        return any(re.fullmatch(pattern, name) for name in self.series)


def looked_at(expression: str) -> Iterator[str]:
    """Give the names of all series, or patterns of them, from which an expression is worked out."""
    for name in series_names(expression):
        yield name
        for record, recorded in RECORDED:
            if record == name:
                yield from looked_at(recorded)


def asked() -> Iterator[Asked]:
    """Find everything that the cases say about alerts."""
    for path in CASES:
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            series = frozenset(name for one in case["input_series"] for name in series_names(one["series"]))
            for test in case.get("promql_expr_test", []):
                if test["expr"].startswith("ALERTS"):
                    yield _asked(test, series)


def _asked(test: dict[str, Any], series: frozenset[str]) -> Asked:
    (chosen,) = selectors(test["expr"])
    named = dict(NAMED.findall(chosen.matchers))
    labels = " ".join(sample["labels"] for sample in test.get("exp_samples", []))
    firing = [name for how, name in NAMED.findall(labels) if how == "="]
    return Asked(
        which=named.get("=") or named.get("=~") or ".*",
        but=named.get("!=", ""),
        firing=frozenset(firing),
        series=series,
    )


SAID = list(asked())
each_alert = pytest.mark.parametrize("alert", sorted(ALERTS.keys() - ALWAYS_FIRES))


@each_alert
def test_it_fires_in_a_case(alert: str) -> None:
    assert any(alert in one.firing for one in SAID)


@each_alert
def test_it_does_not_fire_in_a_case_with_its_series(alert: str) -> None:
    assert any(one.is_silent(alert) for one in SAID)
