"""The rules that a cluster's own Prometheus gets, beside those of other stacks."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.platform.manifests.promql import in_namespace, selectors
from tests.configs.rules_test.test_rules import run
from tests.support.manifests import Tree, name_of, tree
from tests.support.program import run_program
from tests.support.series import series_names, spelled_out
from tests.support.variants import CLUSTER_VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS

VARIANTS = {
    name: config
    for name, config in {**CLUSTER_VARIANTS, **OBJECT_VARIANTS}.items()
    if config["kubernetes"].get("monitoring") == "prometheus-operator"
}

SCRAPED = {
    "up": ".+",
    "go_": ".+",
    "process_": ".+",
    "otelcol_": "otel-gateway|otel-processor|jaeger",
    "prometheus_": "prometheus(-agent)?",
    "loki_": "loki(-.+)?",
    "tempo": "tempo(-.+)?",
    "cortex_": "mimir(-.+)?",
    "thanos_objstore_": "mimir(-.+)?",
    "haproxy_": "query-gateway",
    "grafana_": "grafana",
}
"""Beginning of a metric's name -> the programs that serve it."""
KUBELETS = ("kubelet_volume_stats_",)
"""What the operator's Prometheus has from elsewhere."""


def asked(promtool: str, *arguments: str) -> str:
    command = [promtool, "--experimental", "promql", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module", params=VARIANTS)
def found(request: pytest.FixtureRequest) -> Tree:
    return tree(run_program(VARIANTS[request.param]), VARIANTS[request.param])


@pytest.fixture(scope="module")
def groups(found: Tree) -> list[dict[str, Any]]:
    (rules,) = found.of("PrometheusRule")
    groups: list[dict[str, Any]] = rules["spec"]["groups"]
    return groups


@pytest.fixture(scope="module")
def rules(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def namespace(found: Tree) -> str:
    (rules,) = found.of("PrometheusRule")
    return str(rules["metadata"]["namespace"])


def test_they_are_valid(promtool: str, groups: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    run(promtool, "check", "rules", "--lint=none", path)


def test_they_look_at_one_namespace(promtool: str, rules: list[dict[str, Any]], namespace: str) -> None:
    """Prometheus's own parser finds no selector to which it would have to add the matcher."""
    expressions = {rule["expr"] for rule in rules if not rule["expr"].isdigit()}
    together = "\nor\n".join(f"({expression}\n)" for expression in sorted(expressions))
    added = asked(promtool, "label-matchers", "set", together, "namespace", namespace)
    assert asked(promtool, "format", together) == added
    assert all(f'namespace="{namespace}"' in one.matchers for one in selectors(together))


def test_what_comes_of_them_belongs_to_it(rules: list[dict[str, Any]], namespace: str) -> None:
    assert {rule["labels"]["namespace"] for rule in rules} == {namespace}


def test_somebody_whom_a_service_monitor_scrapes_has_their_series(
    found: Tree, rules: list[dict[str, Any]]
) -> None:
    """What is only sent to the stack's own store never comes to the operator's Prometheus."""
    monitors = [name_of(one) for one in found.of("ServiceMonitor")]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    served = {
        beginning
        for beginning, programs in SCRAPED.items()
        if any(re.fullmatch(programs, name) for name in monitors)
    }
    patterns = {pattern for rule in rules for pattern in series_names(rule["expr"])}
    looked_at = {metric for pattern in patterns for metric in spelled_out(pattern)}
    assert "up" in looked_at
    assert {one for one in looked_at - recorded if not one.startswith((*served, *KUBELETS))} == set()


def test_every_program_that_is_scraped_has_its_alerts(found: Tree, rules: list[dict[str, Any]]) -> None:
    monitors = {name_of(one) for one in found.of("ServiceMonitor")}
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    assert ("HAProxyConnectionsNearLimit" in alerts) == ("query-gateway" in monitors)


@pytest.mark.parametrize(
    ("expression", "changed"),
    [
        ("vector(1)", "vector(1)"),
        ("up", 'up{namespace="n"}'),
        ("up{}", 'up{namespace="n"}'),
        ('up {job="a}"}', 'up{namespace="n", job="a}"}'),
        ('{__name__=~"a(_total)?"}[5m]', '{namespace="n", __name__=~"a(_total)?"}[5m]'),
        ("sum by (job, up) (a) / on (up) group_left () b", None),
        ("sum(a) by (up)", 'sum(a{namespace="n"}) by (up)'),
        ("count without (up) (a:b:c) > bool 1e3 # up", None),
        ("a unless a offset 5m or -a @ 1609746000", None),
        ("max_over_time((a > 0.5)[10m:1m] offset -1h) + Inf", None),
        ('label_replace(a, "up", "$1", "by", "(b)") and by{x=\'{"}\'}', None),
        ("topk(3, a{b=`}`}) ^ 2 % 0x1F", None),
        ("a{b='c',}", None),
    ],
)
def test_selectors_are_told_from_everything_else(promtool: str, expression: str, changed: str | None) -> None:
    found = in_namespace(expression, "n")
    if changed is not None:
        assert found == changed
    added = asked(promtool, "label-matchers", "set", expression, "namespace", "n")
    assert asked(promtool, "format", found) == added
