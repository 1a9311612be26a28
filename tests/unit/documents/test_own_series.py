"""What the stack asks about itself, no metric that an application sends can answer."""

from __future__ import annotations

import re

import pytest

from components.platform.manifests.promql import selectors
from components.values.documents import CONFIGS
from ops.health.pipeline import LOSSES, OWN, QUEUE_FILL, loss_query
from tests.support.queries import PanelQuery, all_queries

OF_METRICS = ("prometheus", "mimir")
MADE_BY_COLLECTORS = ("traces_",)
"""Metrics of applications' spans: they have the name of a collector, and are about applications."""

NO_SERIES = re.compile(r"[\d.]+|label_values\(.*\)")
QUERIES = [
    one
    for one in all_queries(CONFIGS)
    if one.datasource_uid in OF_METRICS and not NO_SERIES.fullmatch(one.expr)
]


def not_its_own(expression: str) -> list[str]:
    """Name the series in an expression that an application could have sent; recorded ones it could not."""
    return [
        expression[one.start : one.end]
        for one in selectors(expression)
        if OWN not in one.matchers and ":" not in one.name and not one.name.startswith(MADE_BY_COLLECTORS)
    ]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_queries_are_about_the_stacks_own_series(query: PanelQuery) -> None:
    assert not not_its_own(query.expr)


def test_make_health_asks_about_the_stacks_own_series() -> None:
    asked = [QUEUE_FILL, *(loss_query(loss, "spans", "1h") for loss in LOSSES)]
    assert not [one for query in asked for one in not_its_own(query)]
