"""What the rules are told by the settings."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from components.alerts.rules import alert_rules
from components.settings import Settings
from components.sizing import declared_rate
from components.values.quantities import Duration
from tests.support.manifests import Tree, name_of, tree
from tests.support.program import CONTAINER, Result, run_program
from tests.support.variants import CLUSTER_VARIANTS, VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS

HOUR = 3600
ON_KUBERNETES = {**CLUSTER_VARIANTS, **OBJECT_VARIANTS}
COUNTED = ("program:replicas", "store:replicas")


def alerts(retention: Duration) -> dict[str, Any]:
    """Give the alerts on Kafka, by name."""
    groups = yaml.safe_load(alert_rules({}, {}, retention, copies_counted=False)["buffer.yaml"])["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


@pytest.mark.parametrize(
    ("retention", "half"),
    [
        (Duration(24 * HOUR), "12h"),
        (Duration(12 * HOUR), "6h"),
        (Duration(3 * 24 * HOUR), "36h"),
        (Duration(90), "10m"),
    ],
    ids=str,
)
def test_unread_records_are_told_of_at_half_of_kafkas_retention(retention: Duration, half: str) -> None:
    alert = alerts(retention)["KafkaLagAgeNearsRetention"]
    assert alert["expr"].count(f"avg_over_time(kafka:unread:ratio[{half}])") == 2
    assert f"offset {half})" in alert["expr"]
    assert f"retention ({retention})" in alert["annotations"]["description"]


def test_texts_name_kafkas_retention() -> None:
    texts = [rule["annotations"]["description"] for rule in alerts(Duration(5 * HOUR)).values()]
    assert sum("retention (5h)" in text for text in texts) == 5
    assert not any("(1d)" in text for text in texts)


@pytest.mark.parametrize("counted", [True, False])
def test_counts_are_missed_where_somebody_counts(*, counted: bool) -> None:
    files = alert_rules({}, {}, Duration(HOUR), copies_counted=counted)
    groups = yaml.safe_load(files["copies.yaml"])["groups"]
    expressions = {rule.get("record"): rule["expr"] for group in groups for rule in group["rules"]}
    assert expressions["kafka:copies_counted:bool"] == str(int(counted))


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({"phase": 1}, False),
        (VARIANTS["phase2-small"], True),
        (VARIANTS["phase2-external-kafka"], True),
        (CLUSTER_VARIANTS["phase3-small"], True),
        (CLUSTER_VARIANTS["phase3-external-kafka"], False),
        (CLUSTER_VARIANTS["phase3-strimzi"], False),
    ],
)
def test_copies_are_counted_where_the_stack_makes_the_topics(
    settings: dict[str, Any], *, counts: bool
) -> None:
    assert Settings.load(settings).counts_copies is counts


PUBLISHED = "https://git.example.com/otel-stack/docs/"


@pytest.mark.parametrize(
    "name",
    ["phase1-small", "phase2-small", "phase3-load-balancer", "phase4-history", "phase4-everything-set"],
)
def test_alerts_lead_to_the_runbooks_where_they_are_published(name: str) -> None:
    settings = (VARIANTS | ON_KUBERNETES)[name]
    settings = {**settings, "alerting": {**settings.get("alerting", {}), "runbooksUrl": PUBLISHED}}
    result = run_program(settings)
    if name in ON_KUBERNETES:
        found = tree(result, settings)
        texts = [text for one in found.programs() for text in found.files(one).values()]
        texts += [yaml.safe_dump(rules["spec"]) for rules in found.of("PrometheusRule")]
    else:
        texts = list(uploaded(result, "prometheus").values())
    links = [link for text in texts for link in re.findall(r"runbook_url: (.*)", text)]
    assert links
    assert {link for link in links if not link.startswith(f"{PUBLISHED}runbooks/")} == set()


@pytest.mark.parametrize("name", ["phase1-large", "phase2-medium", "phase3-medium", "phase4-large"])
def test_more_than_the_declared_rate_is_told(name: str) -> None:
    settings = {**VARIANTS, **ON_KUBERNETES}[name]
    result = run_program(settings)
    if name in ON_KUBERNETES:
        files = rule_files(tree(result, settings), "mimir" if name in OBJECT_VARIANTS else "prometheus")
    else:
        files = list(uploaded(result, "prometheus").values())
    (rule,) = [
        rule
        for text in files
        for group in (yaml.safe_load(text) or {}).get("groups", [])
        for rule in group["rules"]
        if rule.get("record") == "sizing:events:per_second"
    ]
    assert int(rule["expr"]) == declared_rate(Settings.load(settings).sizing)


def counted(files: list[str]) -> dict[str, int]:
    """Give how many instances of each job the rules ask for."""
    groups = [group for text in files for group in yaml.safe_load(text)["groups"]]
    rules = [rule for group in groups for rule in group["rules"] if rule.get("record") in COUNTED]
    found = {rule["labels"]["job"]: int(rule["expr"]) for rule in rules}
    assert len(found) == len(rules), "a program is asked for once"
    return found


def rule_files(found: Tree, program: str) -> list[str]:
    """Give the rules that a program evaluates, or where teams upload theirs, the operator's Prometheus.

    Of a store in parts it is the one that answers queries.
    """
    names = {one.name for one in found.programs()}
    texts = found.files(found.program(f"{program}-read" if f"{program}-read" in names else program))
    files = [text for path, text in texts.items() if path.startswith("rules/")]
    return files or [yaml.safe_dump(rules["spec"]) for rules in found.of("PrometheusRule")]


def uploaded(result: Result, program: str) -> dict[str, str]:
    """Give the configuration texts of a program on Docker, by path in its folder."""
    (one,) = (one for one in result.of(CONTAINER) if one.name.startswith(f"{program}-config-"))
    folder = f"/etc/{program}/"
    return {upload["file"].removeprefix(folder): upload["content"] for upload in one.plain("uploads")}


def at_least(found: Tree) -> dict[str, int]:
    """Give the least number of pods of each program whose pods are scraped."""
    scraped = [
        one
        for one in found.programs()
        if one.template["metadata"].get("annotations", {}).get("prometheus.io/scrape") == "true"
    ]
    least = {one.name: one.object["spec"].get("replicas", 0) for one in scraped}
    least |= {name_of(one): one["spec"]["minReplicas"] for one in found.of("HorizontalPodAutoscaler")}
    least |= {name_of(one): one["spec"]["minReplicaCount"] for one in found.of("ScaledObject")}
    return least


@pytest.mark.parametrize("name", ON_KUBERNETES)
def test_every_scraped_program_of_a_cluster_is_missed_below_its_least_number(name: str) -> None:
    found = tree(run_program(ON_KUBERNETES[name]), ON_KUBERNETES[name])
    least = at_least(found)
    evaluates = "mimir" if name in OBJECT_VARIANTS else "prometheus"
    agent = {"prometheus-agent": 1} if name in OBJECT_VARIANTS else {}  # AgentDown
    assert least.keys() >= {"otel-gateway", "otel-processor", "grafana"}
    assert all(number > 0 for number in least.values())
    assert {**counted(rule_files(found, evaluates)), **agent} == least


@pytest.mark.parametrize("name", VARIANTS)
def test_every_scraped_program_of_a_node_is_missed_below_its_number(name: str) -> None:
    result = run_program(VARIANTS[name])
    files = uploaded(result, "prometheus")
    jobs = {job["job_name"] for job in yaml.safe_load(files["prometheus.yaml"])["scrape_configs"]}
    found = counted([text for path, text in files.items() if path.startswith("rules/")])
    assert found.keys() == jobs
    containers = {one.name for one in result.of(CONTAINER)}
    for job, number in found.items():
        assert number == sum(re.fullmatch(rf"{job}(-\d+)?", one) is not None for one in containers), job
