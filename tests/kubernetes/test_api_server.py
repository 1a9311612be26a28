"""A real API server takes every object of every variant, and admits every pod without a warning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.sizing.programs import PRESETS
from tests.kubernetes.server import Server
from tests.support.cluster import Cluster
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import ON_CLUSTER

NAMESPACE = "otel-stack-dry-run"

SIZED = {"phase3-small", "phase3-medium", "phase3-large", "phase4-small", "phase4-medium", "phase4-large"}
"""Variants that are nothing but a size."""
SIZES = [
    (name, preset)
    for name, config in ON_CLUSTER.items()
    for preset in ((None,) if name in SIZED or "eventsPerSecond" in config.get("sizing", {}) else PRESETS)
]
"""Every variant in every size; those whose size is their point as they are."""
OF_OTHERS = ("gateway.networking.k8s.io/", "kafka.strimzi.io/", "keda.sh/", "monitoring.coreos.com/")
"""Groups of the resource types that others add to Kubernetes."""


def rendered(name: str, preset: str | None = None) -> Tree:
    config: dict[str, Any] = ON_CLUSTER[name]
    config = {**config, "kubernetes": {**config["kubernetes"], "namespace": NAMESPACE}}
    if preset is not None:
        config["sizing"] = {**config.get("sizing", {}), "preset": preset}
    return tree(run_program(config), config)


@pytest.fixture(scope="module")
def server(kubernetes: Cluster) -> Iterator[Server]:
    found = Server(cluster=kubernetes)
    with found.namespace(rendered("phase3-small").get("Namespace", NAMESPACE)):
        yield found


@pytest.fixture(scope="module", params=SIZES, ids=lambda one: "-".join(filter(None, one)))
def variant(request: pytest.FixtureRequest) -> Tree:
    return rendered(*request.param)


def test_every_object_is_taken(server: Server, variant: Tree) -> None:
    answer = server.would_take(variant)
    assert answer.said == ""
    assert answer.accepted


@pytest.mark.parametrize("name", ON_CLUSTER)
def test_nothing_is_added_to_lists_of_others_types(server: Server, name: str) -> None:
    """Argo CD knows the defaults of Kubernetes' own types alone, and would report the others for good."""
    wanted = [one for one in rendered(name).objects if one["apiVersion"].startswith(OF_OTHERS)]
    answer = server.would_make(wanted) if wanted else []
    assert {called(one): lists(one["spec"]) for one in answer} == {
        called(one): lists(one["spec"]) for one in wanted
    }


def called(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def lists(part: Any, path: str = "") -> dict[str, Any]:
    """Give the outermost lists below a part of an object, by path."""
    if isinstance(part, list):
        return {path: part}
    if not isinstance(part, dict):
        return {}
    return {key: one for name, below in part.items() for key, one in lists(below, f"{path}/{name}").items()}


def test_every_pod_is_admitted(server: Server, variant: Tree) -> None:
    answer = server.would_admit(variant.programs(), NAMESPACE)
    assert answer.said == ""
    assert answer.accepted


def privileged(found: Tree) -> None:
    container = found.program("loki").pod["containers"][0]
    container["securityContext"]["allowPrivilegeEscalation"] = True


def misspelt(found: Tree) -> None:
    found.get("Service", "loki")["spec"]["sessionAffinityy"] = "None"


def impossible(found: Tree) -> None:
    found.get("StatefulSet", "loki")["spec"]["template"]["spec"]["containers"][0]["image"] = ""


def test_a_pod_that_asks_for_more_is_refused(server: Server) -> None:
    found = rendered("phase3-small").changed(privileged)
    program = found.program("loki")
    answer = server.would_admit([program], NAMESPACE)
    assert not answer.accepted
    assert 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation' in answer.said
    assert "would violate PodSecurity" in server.would_take(found).said


@pytest.mark.parametrize(("change", "message"), [(misspelt, "sessionAffinityy"), (impossible, "image")])
def test_wrong_objects_are_refused(server: Server, change: Any, message: str) -> None:
    answer = server.would_take(rendered("phase3-small").changed(change))
    assert not answer.accepted
    assert message in answer.said
