"""The Kubernetes objects and configuration files of every variant, as somebody has looked at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.composition.outputs import Outputs
from tests.support.golden import GOLDEN, matches_golden
from tests.support.manifests import Manifest, Tree, dump, identity, name_of, tree
from tests.support.program import Result, run_program
from tests.support.variants import CLUSTER_VARIANTS

PLAIN = "phase3-small"
"""The other variants' golden files have what differs from this one."""


@pytest.fixture(scope="module", params=CLUSTER_VARIANTS)
def variant(request: pytest.FixtureRequest) -> tuple[str, Result]:
    return request.param, run_program(CLUSTER_VARIANTS[request.param])


@pytest.fixture(scope="module")
def plain() -> Tree:
    return rendered(PLAIN)


@pytest.fixture(scope="module")
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


def rendered(name: str) -> Tree:
    config = CLUSTER_VARIANTS[name]
    return tree(run_program(config), config)


def without_texts(one: Manifest) -> Manifest:
    """Leave texts of files out: they have golden files of their own."""
    if one["kind"] in ("ConfigMap", "PrometheusRule"):
        return {key: value for key, value in one.items() if key not in ("data", "spec")}
    return one


def differing(found: Tree, others: Tree) -> list[Manifest]:
    known = {identity(one): one for one in map(without_texts, others.objects)}
    return [one for one in map(without_texts, found.objects) if known.get(identity(one)) != one]


def test_objects(variant: tuple[str, Result], plain: Tree, update: bool) -> None:
    name, result = variant
    found = tree(result, CLUSTER_VARIANTS[name])
    objects = [*map(without_texts, found.objects)] if name == PLAIN else differing(found, plain)
    matches_golden(GOLDEN / name / "manifests.yaml", dump(objects), update)


def test_names_are_stable(variant: tuple[str, Result], update: bool) -> None:
    """Another name or parent deletes and recreates it on every running stack: aliases first."""
    name, result = variant
    matches_golden(GOLDEN / name / "names.txt", "\n".join(result.places()) + "\n", update)


def test_files(variant: tuple[str, Result], plain: Tree, update: bool) -> None:
    name, result = variant
    known = {(one.name, path): text for one in plain.programs() for path, text in plain.files(one).items()}
    found = tree(result, CLUSTER_VARIANTS[name])
    for program in found.programs():
        for path, text in found.files(program).items():
            is_config = Path(path).suffix in (".yaml", ".properties") and "rules" not in Path(path).parts
            if is_config and (name == PLAIN or known.get((program.name, path)) != text):
                matches_golden(GOLDEN / name / f"{program.name}-{Path(path).name}", text, update)


def test_same_settings_give_the_same_objects() -> None:
    assert dump(rendered("phase3-everything-set").objects) == dump(rendered("phase3-everything-set").objects)


def test_one_setting_changes_its_program_alone(plain: Tree) -> None:
    config: dict[str, Any] = {**CLUSTER_VARIANTS[PLAIN], "ingest": {"maxConcurrentStreams": 101}}
    changed = tree(run_program(config), config)
    assert [identity(one) for one in differing(changed, plain)] == ["apps/v1 Deployment otel-gateway"]
    texts = {
        name_of(one)
        for one in changed.of("ConfigMap")
        if plain.get("ConfigMap", name_of(one))["data"] != one["data"]
    }
    assert texts == {"otel-gateway-config-autonamed"}


def test_outputs_are_those_of_every_phase(variant: tuple[str, Result]) -> None:
    outputs = variant[1].outputs
    assert set(outputs) == set(Outputs.__dataclass_fields__)
    assert (outputs["phase"], outputs["platform"]) == (3, "kubernetes")


@pytest.mark.parametrize(
    ("name", "grpc", "http", "grafana"),
    [
        (
            "phase3-small",
            "http://otel-gateway.observability.svc:4317",
            "http://otel-gateway.observability.svc:4318",
            "http://grafana.observability.svc:3000",
        ),
        (
            "phase3-load-balancer",
            "http://otlp-grpc.example.com:4317",
            "http://otlp-http.example.com:4318",
            "http://grafana.example.com:3000",
        ),
        (
            "phase3-gateway-api",
            "https://otlp-grpc.example.com:443",
            "https://otlp-http.example.com:443",
            "https://grafana.example.com",
        ),
        (
            "phase3-everything-set",
            "https://otlp-grpc.example.com:443",
            "https://otlp-http.example.com:443",
            "https://grafana.example.com",
        ),
    ],
)
def test_outputs_name_the_ways_in(name: str, grpc: str, http: str, grafana: str) -> None:
    outputs = run_program(CLUSTER_VARIANTS[name]).outputs
    found = tuple(outputs[key] for key in ("otlp_grpc_endpoint", "otlp_http_endpoint", "grafana_url"))
    assert found == (grpc, http, grafana)
    assert outputs["metrics_query_url"].endswith(".svc:9090"), "the stores stay inside"
