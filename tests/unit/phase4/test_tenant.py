"""The tenant of phase 4: everything that writes or reads names it, and the stores' own rules are its."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

HEADER = "X-Scope-OrgID"
BOTH_SETS = "phase4-changing-over-unsampled"
"""Where phase 3's processors write to Mimir too."""

NAMING = {
    "otel-processor: otlp_grpc/tempo",
    "otel-processor: otlp_http/mimir",
    "otel-processor: otlp_http/loki",
    "otel-processor-phase3: otlp_http/mimir",
    "kafka-topics: counts",
    "postgres-backup: counts",
    "prometheus-agent: remote write",
    "grafana: mimir",
    "grafana: tempo",
    "grafana: loki",
    "grafana: mimir-alertmanager",
    "grafana: pyroscope",
    "mimir: rules",
    "loki-cluster: rules",
}
"""Everything that writes, reads or derives something for the tenant."""


def named_by(found: Tree) -> Iterator[tuple[str, str]]:
    """Give which programs name a tenant where, and which one."""
    for program in found.programs():
        config = yaml.safe_load(found.files(program).get("config.yaml", "{}"))
        for name, exporter in config.get("exporters", {}).items():
            if "headers" in exporter:
                yield f"{program.name}: {name}", exporter["headers"][HEADER]
        header, _, value = program.environment().get("HEADER", "").partition(": ")
        if header == HEADER:
            yield f"{program.name}: counts", value
    for name in ("mimir", "loki-cluster"):
        for path in found.files(found.program(name)):
            if path.startswith("rules/"):
                yield f"{name}: rules", path.split("/")[1]
    (target,) = found.document("prometheus-agent", "agent.yaml")["remote_write"]
    yield "prometheus-agent: remote write", target["headers"][HEADER]
    for source in found.document("grafana", "provisioning/datasources/datasources.yaml")["datasources"]:
        if source["jsonData"].get("httpHeaderName1") == HEADER:
            yield f"grafana: {source['uid']}", source["secureJsonData"]["httpHeaderValue1"]


@pytest.mark.parametrize(
    ("given", "tenant"), [({}, "otel-stack"), ({"tenant": "shop-7"}, "shop-7")], ids=["default", "given"]
)
def test_everything_names_the_tenant(given: dict[str, str], tenant: str) -> None:
    config = {
        **OBJECT_VARIANTS[BOTH_SETS],
        "stores": {"phase3": "written", **given},
        "grafana": {"profilesUrl": "http://pyroscope.profiles.svc:4040"},
    }
    result = run_program(config)
    found = set(named_by(tree(result, config)))
    assert found == {(one, tenant) for one in NAMING}
    assert result.outputs["tenant"] == tenant


def test_stores_take_nothing_without_a_tenant(phase4_small: Tree) -> None:
    assert phase4_small.document("tempo", "tempo.yaml")["multitenancy_enabled"] is True
    assert phase4_small.document("mimir", "mimir.yaml")["multitenancy_enabled"] is True
    assert phase4_small.document("loki-cluster", "loki-cluster.yaml")["auth_enabled"] is True


def test_rulers_look_for_rules_where_the_tenants_folder_is(phase4_small: Tree) -> None:
    for program in ("mimir", "loki-cluster"):
        ruler = phase4_small.document(program, f"{program}.yaml")["ruler_storage"]
        directory = f"/etc/{program.partition('-')[0]}"
        (container,) = phase4_small.program(program).containers
        assert directory in {mount["mountPath"] for mount in container["volumeMounts"]}
        assert ruler["backend"] == "local"
        assert ruler["local"]["directory"] == f"{directory}/rules"


def test_what_stores_derive_is_written_for_the_tenant_that_it_came_from(phase4_small: Tree) -> None:
    """Tempo names it in what it writes to Mimir, unless told not to or given a header of its own."""
    tempo = phase4_small.document("tempo", "tempo.yaml")["metrics_generator"]["storage"]
    assert tempo.get("remote_write_add_org_id_header", True) is True
    assert [target.get("headers", {}) for target in tempo["remote_write"]] == [{}]
    loki = phase4_small.document("loki-cluster", "loki-cluster.yaml")["ruler"]["remote_write"]
    assert loki["add_org_id_header"] is True
    assert [client.get("headers", {}) for client in loki["clients"].values()] == [{}]


def test_phase_threes_stores_know_no_tenant(phase4_changing: Tree) -> None:
    exporters = phase4_changing.document("otel-processor-phase3", "config.yaml")["exporters"]
    assert not [name for name, one in exporters.items() if HEADER in one.get("headers", {})]
