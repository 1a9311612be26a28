"""From phase 3's stores to phase 4's: what runs beside each other, and what stays as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from components.values.documents import text
from tests.support.manifests import Tree, name_of, tree
from tests.support.phase4 import objects_of
from tests.support.program import run_program
from tests.support.variants import CLUSTER_VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS


def test_both_sets_of_stores_are_fed(phase4_changing: Tree) -> None:
    new, old = (phase4_changing.document(f"otel-processor{end}", "config.yaml") for end in ("", "-phase3"))
    groups = {
        kind: {name: one["group_id"] for name, one in found["receivers"].items() if "group_id" in one}
        for kind, found in (("new", new), ("old", old))
    }
    assert not set(groups["new"].values()) & set(groups["old"].values())
    assert groups["old"] == {
        "kafka/sampled": "otel-sampled-processors",
        "kafka/metrics": "otel-metric-processors",
        "kafka/logs": "otel-log-processors",
    }
    assert groups["new"]["kafka/traces"] == "otel-trace-processors"
    assert {"otlp_grpc/jaeger", "otlp_http/prometheus"} <= old["exporters"].keys()
    assert {"otlp_grpc/tempo", "otlp_http/mimir"} <= new["exporters"].keys()


def test_only_one_of_them_decides_about_traces(phase4_changing: Tree) -> None:
    new, old = (
        phase4_changing.files(phase4_changing.program(f"otel-processor{end}"))["config.yaml"]
        for end in ("", "-phase3")
    )
    assert "tail_sampling" in new
    assert "tail_sampling" not in old
    assert "span_metrics" not in old


@pytest.mark.parametrize(
    ("variant", "counting"),
    [
        ("phase4-changing-over", {"otel-processor": "otel-trace-processors"}),
        ("phase4-changing-over-unsampled", {"otel-processor-phase3": "otel-trace-processors"}),
        ("phase4-history", {"otel-processor": "otel-trace-writers"}),
        ("phase4-split", {"otel-processor": "otel-trace-writers"}),
    ],
)
def test_spans_are_counted_once(variant: str, counting: dict[str, str]) -> None:
    """Groups of the new stores begin with the oldest record, so what they read has been counted before."""
    found, groups = objects_of(variant), {}
    for name in {one.name for one in found.programs()} & {"otel-processor", "otel-processor-phase3"}:
        document = found.document(name, "config.yaml")
        pipelines = document["service"]["pipelines"]
        counts = "traces/metrics" in pipelines
        assert counts is ("metrics/spans" in pipelines) is ("span_metrics" in document.get("connectors", {}))
        if counts:
            (receiver,) = pipelines["traces/metrics"]["receivers"]
            groups[name] = document["receivers"][receiver]["group_id"]
            assert pipelines["metrics/spans"]["exporters"] == ["otlp_http/mimir"]
    assert groups == counting


def test_where_the_old_processors_count_the_spans_they_may_write_to_mimir() -> None:
    found = objects_of("phase4-changing-over-unsampled")
    new, old = (found.document(f"otel-processor{end}", "config.yaml") for end in ("", "-phase3"))
    assert old["exporters"]["otlp_http/mimir"] == new["exporters"]["otlp_http/mimir"]
    used = {name for pipeline in old["service"]["pipelines"].values() for name in pipeline["exporters"]}
    assert old["exporters"].keys() | {"span_metrics"} == used
    assert old["service"]["pipelines"]["metrics"]["exporters"] == ["otlp_http/prometheus"]
    assert old["service"]["pipelines"]["traces"]["receivers"] == ["kafka/traces"]
    assert old["receivers"]["kafka/traces"]["group_id"] == "otel-trace-processors"
    assert new["receivers"]["kafka/traces"]["group_id"] == "otel-trace-writers"
    found.get("NetworkPolicy", "otel-processor-phase3-to-mimir")


def test_alerts_know_the_memory_of_the_old_stores_processors_while_they_run() -> None:
    limits = {}
    for name in ("phase4-changing-over", "phase4-history"):
        found = objects_of(name)
        files = found.files(found.program("mimir"))
        rules = [
            rule
            for path, content in files.items()
            if path.endswith("limits.yaml")
            for group in yaml.safe_load(content)["groups"]
            for rule in group["rules"]
            if rule["record"] == "program:memory_limit:bytes"
        ]
        limits[name] = {rule["labels"]["job"]: rule["expr"] for rule in rules}
    written, read = limits.values()
    assert written["otel-processor-phase3"] == written["otel-processor"]
    assert "otel-processor-phase3" not in read


@pytest.mark.parametrize("job", ["otel-gateway", "otel-processor", "otel-processor-phase3"])
def test_no_alert_on_reading_adds_up_two_groups(job: str) -> None:
    """Each of them reads every record, so together they may look as if one that stands still kept up."""
    groups = yaml.safe_load(text("prometheus/rules/buffer.yaml"))["groups"]
    rules = {rule["record"]: rule["expr"] for one in groups for rule in one["rules"] if "record" in rule}
    for name in ("kafka:read:rate10m", "kafka:delay:seconds"):
        (jobs,) = set(re.findall(r'otelcol_kafka_receiver_\w+\{job=~"([^"]+)"', rules[name]))
        assert (re.fullmatch(jobs, job) is not None) is job.startswith("otel-processor")
        added_up = set(re.findall(r"(?:sum|max) by \(([^)]*)\)", rules[name]))
        assert {labels.removesuffix(", partition") for labels in added_up} == {"job, topic"}


def test_what_jaeger_and_prometheus_would_refuse_is_spared_them_only(phase4_changing: Tree) -> None:
    """Tempo has a limit of its own, from the settings; Mimir keeps what is good of a request."""
    new, old = (phase4_changing.document(f"otel-processor{end}", "config.yaml") for end in ("", "-phase3"))
    for name in ("transform/jaeger", "filter/usual", "filter/unusual", "metrics/unusual"):
        assert name not in str(new)
        assert name in str(old)
    assert old["service"]["pipelines"]["traces/sampled"]["processors"][-1] == "transform/jaeger"


def test_nothing_of_phase_3_changes_its_volume(phase4_changing: Tree) -> None:
    claims = {
        name: [
            one["metadata"]["name"]
            for one in phase4_changing.program(name).object["spec"]["volumeClaimTemplates"]
        ]
        for name in ("jaeger", "prometheus", "loki")
    }
    assert claims == {"jaeger": ["jaeger-data"], "prometheus": ["prometheus-data"], "loki": ["loki-data"]}


def test_afterwards_they_are_only_read() -> None:
    names = {one.name for one in objects_of("phase4-history").programs()}
    assert {"jaeger", "prometheus", "loki"} <= names
    assert "otel-processor-phase3" not in names


def test_grafana_shows_both(phase4_changing: Tree) -> None:
    sources = phase4_changing.document("grafana", "provisioning/datasources/datasources.yaml")["datasources"]
    uids = {source["uid"] for source in sources}
    assert uids == {"tempo", "mimir", "loki", "mimir-alertmanager", "jaeger", "prometheus", "loki-phase3"}
    assert [source["uid"] for source in sources if source.get("isDefault")] == ["mimir"]
    old = next(source for source in sources if source["uid"] == "jaeger")
    assert old["jsonData"]["tracesToLogsV2"]["datasourceUid"] == "loki-phase3"


def test_parts_of_phase_three_are_the_same_components() -> None:
    """With another type their objects would be others of the same name, which cannot be made beside them."""

    def parts(settings: Mapping[str, Any]) -> dict[str, str]:
        registered = run_program(settings).resources
        return {one.name: one.type for one in registered if one.type.startswith("otel-stack:")}

    later = OBJECT_VARIANTS["phase4-changing-over"]
    kept = {key: value for key, value in later.items() if key not in ("objectStorage", "stores")}
    before, after = parts({**kept, "phase": 3}), parts(later)
    stores = {"jaeger", "prometheus", "loki"}
    assert {"kafka", "otel-gateway", "otel-processor", "grafana"} | stores <= set(before)
    assert before.items() <= after.items()


def test_a_stateful_set_of_both_phases_has_the_same_claims(phase4_small: Tree, phase4_changing: Tree) -> None:
    """It keeps the templates that it began with, whatever the program says later."""

    def claims(found: Tree) -> dict[str, list[str]]:
        sets = found.of("StatefulSet")
        return {
            name_of(one): [name_of(claim) for claim in one["spec"]["volumeClaimTemplates"]] for one in sets
        }

    config = CLUSTER_VARIANTS["phase3-small"]
    before = claims(tree(run_program(config), config))
    assert before["grafana"] == ["grafana-data"]
    for after in (claims(phase4_small), claims(phase4_changing)):
        shared = before.keys() & after.keys()
        assert "kafka" in shared
        assert {one: before[one] for one in shared} == {one: after[one] for one in shared}
