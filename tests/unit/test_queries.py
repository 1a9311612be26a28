"""No query that is shipped is left out where all are run against the real stores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

import pytest
import yaml

from components.values.documents import CONFIGS
from tests.support.data_sources import mentions
from tests.support.manifests import Tree
from tests.support.object_queries import FROM_THE_START, alert_series, object_queries, why_absent, why_empty
from tests.support.phase4 import objects_of
from tests.support.queries import all_queries, iter_queries

READ_AS: Mapping[str, Callable[[str], object]] = {".yaml": yaml.safe_load, ".json": json.loads}


def expressions(files: Iterable[tuple[str, str]]) -> set[str]:
    """Give every value of a key ``expr`` in files, each given as path and text, whatever the file is for."""
    documents = (READ_AS[end](text) for path, text in files for end in READ_AS if path.endswith(end))
    return {found for document in documents for found in mentions(document, "expr")}


def test_every_expression_of_every_phase_is_found() -> None:
    written = expressions((path.name, path.read_text()) for path in CONFIGS.rglob("*") if path.is_file())
    assert written
    assert written - {query.expr for query in all_queries(CONFIGS)} == set()


def test_queries_of_phases_one_to_three_are_among_those_of_all() -> None:
    assert set(iter_queries(CONFIGS)) - set(all_queries(CONFIGS)) == set()


@pytest.mark.parametrize("name", ["phase4-changing-over", "phase4-everything-set"])
def test_every_expression_in_a_cluster_is_found(name: str) -> None:
    require_found(objects_of(name))


def test_every_expression_in_a_small_cluster_is_found(phase4_small: Tree) -> None:
    watched = 'count(ALERTS{alertname="Watchdog", collector_name=""}) or vector(0)'
    assert {"vector(1)", watched} <= require_found(phase4_small)


def require_found(found: Tree) -> set[str]:
    """Demand that no expression in any program's files is missed, and give them all."""
    files = [item for program in found.programs() for item in found.files(program).items()]
    written = expressions(files)
    assert written - {query.expr for query in object_queries(found)} == set()
    return written


@pytest.mark.parametrize(
    ("panel", "source"),
    [("Watchdog", "mimir"), ("RulesNotEvaluated", "mimir"), ("ErrorLogsRising", "loki")],
)
def test_alerts_are_found_wherever_they_are_evaluated(phase4_small: Tree, panel: str, source: str) -> None:
    (found,) = (query for query in object_queries(phase4_small) if query.panel == panel)
    assert (found.datasource_uid, found.is_alert) == (source, True)
    assert bool(why_empty(found)) == (panel == "ErrorLogsRising")


def test_counters_that_are_there_from_the_start_are_not_excused(phase4_small: Tree) -> None:
    series = alert_series(object_queries(phase4_small))
    assert series >= FROM_THE_START
    assert [one for one in FROM_THE_START if why_absent(one)] == []
    assert why_absent("cortex_discarded_samples_total")
