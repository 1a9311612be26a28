"""What the kubernetes stand-in decides of an object before anything is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from tests.lab.providers import wire
from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes.checks import checked, compared
from tests.lab.providers.kubernetes.diff import drifted, is_below
from tests.lab.providers.kubernetes.kinds import kind_of
from tests.lab.providers.kubernetes.naming import AUTONAMED
from tests.lab.providers.kubernetes.settings import Settings

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
Options = pb.CheckRequest.AutonamingOptions


def request(name: str = "text", **fields: Any) -> pb.CheckRequest:
    urn = f"urn:pulumi:dev::project::some:component:Type${CONFIG_MAP}::{name}"
    return pb.CheckRequest(urn=urn, randomSeed=b"seed", **fields)


def inputs(values: Mapping[str, Any], token: str = CONFIG_MAP) -> dict[str, Any]:
    return checked(kind_of(token), values, {}, "", request())


def replaced(token: str, old: Any, new: Any, settings: Settings | None = None) -> list[str]:
    diff = compared(kind_of(token), settings or Settings(), {}, old, new)
    return [change.path for change in diff.changes if change.replaces]


def workload(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(
    ("token", "version", "namespaced"),
    [
        (CONFIG_MAP, "v1", True),
        (DEPLOYMENT, "apps/v1", True),
        ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "rbac.authorization.k8s.io/v1", False),
        ("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "autoscaling/v2", True),
        ("kubernetes:keda.sh/v1alpha1:ScaledObject", "keda.sh/v1alpha1", None),
        ("kubernetes:apps.example/v1:Deployment", "apps.example/v1", None),
    ],
)
def test_kinds_behind_tokens(token: str, version: str, namespaced: bool | None) -> None:
    kind = kind_of(token)
    assert (kind.api_version, kind.namespaced) == (version, namespaced)
    assert (kind.inputs is None) == (namespaced is None)


@pytest.mark.parametrize(
    "token",
    ["kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/v2:ConfigFile", "kubernetes:apps/v1:DeploymentPatch"],
)
def test_what_is_no_single_object_is_refused_by_name(token: str) -> None:
    with pytest.raises(ProviderError, match=re.escape(token)):
        kind_of(token)


def test_wrong_names_and_types_are_told_with_their_path() -> None:
    spec = {
        "replicas": "2",
        "selector": {"matchLabels": {"app": 1}},
        "template": {"spec": {"containers": [{"name": "a", "imagePolicy": "Always"}]}},
    }
    failures = {failure.path: failure.reason for failure in kind_of(DEPLOYMENT).failures({"spec": spec})}
    assert failures["spec.replicas"] == "must be a whole number, not str"
    assert failures['spec.selector.matchLabels["app"]'] == "must be a string, not int"
    assert "did you mean 'imagePullPolicy'" in failures["spec.template.spec.containers[0].imagePolicy"]


def test_custom_resources_are_free_but_for_what_all_objects_share() -> None:
    kind = kind_of("kubernetes:keda.sh/v1alpha1:ScaledObject")
    assert not list(kind.failures({"spec": {"anything": [1, {"a": None}]}, "metadata": {"name": "a"}}))
    assert [failure.path for failure in kind.failures({"metadata": {"nam": "a"}})] == ["metadata.nam"]
    assert [failure.path for failure in kind.failures({"kind": "ScaledJob"})] == ["kind"]


def test_a_name_is_made_once_and_kept() -> None:
    first = inputs({"data": {}})
    assert (first["apiVersion"], first["kind"]) == ("v1", "ConfigMap")
    assert re.fullmatch(r"text-[0-9a-f]{8}", first["metadata"]["name"])
    assert first["metadata"]["annotations"] == {AUTONAMED: "true"}
    again = checked(kind_of(CONFIG_MAP), {"data": {"a": "b"}}, first, "", request(name="other"))
    assert again["metadata"] == first["metadata"]


def test_names_of_the_program_are_left_alone() -> None:
    assert inputs({"metadata": {"name": "mine"}})["metadata"] == {"name": "mine"}
    assert inputs({"metadata": {"name": wire.UNKNOWN}})["metadata"] == {"name": wire.UNKNOWN}
    assert inputs({"metadata": wire.UNKNOWN})["metadata"] == wire.UNKNOWN
    with pytest.raises(ProviderError, match="generateName"):
        inputs({"metadata": {"generateName": "a-"}})


def test_the_stacks_rules_for_names_are_followed() -> None:
    kind = kind_of(CONFIG_MAP)
    proposed = request(autonaming=Options(mode=Options.Mode.ENFORCE, proposed_name="as-told"))
    assert checked(kind, {}, {}, "", proposed)["metadata"]["name"] == "as-told"
    with pytest.raises(ProviderError, match=r"text has no metadata\.name"):
        checked(kind, {}, {}, "", request(autonaming=Options(mode=Options.Mode.DISABLE)))


def test_the_providers_namespace_is_for_those_without_one() -> None:
    kind = kind_of(CONFIG_MAP)
    assert checked(kind, {}, {}, "place", request())["metadata"]["namespace"] == "place"
    own = {"metadata": {"namespace": "own"}}
    assert checked(kind, own, {}, "place", request())["metadata"]["namespace"] == "own"


def test_changed_text_replaces_a_config_map_unless_they_may_change() -> None:
    old, new = ({"metadata": {"name": "a"}, "data": {"a.yaml": text}} for text in ("1", "2"))
    assert replaced(CONFIG_MAP, old, new) == ['data["a.yaml"]']
    mutable = Settings(config_maps_mutable=True, secrets_mutable=True)
    assert not replaced(CONFIG_MAP, old, new, mutable)
    assert replaced(CONFIG_MAP, old, {**new, "immutable": True}, mutable) == ['data["a.yaml"]']
    assert replaced("kubernetes:core/v1:Secret", {"stringData": {"a": "1"}}, {"stringData": {"a": "2"}})


@pytest.mark.parametrize(
    ("token", "old", "new", "paths"),
    [
        (DEPLOYMENT, workload(replicas=1), workload(replicas=2), []),
        (
            DEPLOYMENT,
            workload(selector={"matchLabels": {"a": "1"}}),
            workload(selector={"matchLabels": {"a": "2"}}),
            ["spec.selector.matchLabels.a"],
        ),
        (
            "kubernetes:apps/v1:StatefulSet",
            workload(volumeClaimTemplates=[{"spec": {"resources": {"requests": {"storage": "1Gi"}}}}]),
            workload(volumeClaimTemplates=[{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}]),
            ["spec.volumeClaimTemplates[0].spec.resources.requests.storage"],
        ),
        ("kubernetes:apps/v1:StatefulSet", workload(), workload(serviceName="a"), ["spec.serviceName"]),
        (
            "kubernetes:core/v1:PersistentVolumeClaim",
            workload(resources={"requests": {"storage": "1Gi"}}, storageClassName="a"),
            workload(resources={"requests": {"storage": "2Gi"}}, storageClassName="b"),
            ["spec.storageClassName"],
        ),
        (
            "kubernetes:core/v1:Pod",
            workload(containers=[{"image": "a"}]),
            workload(containers=[{"image": "b"}]),
            ["spec.containers[0].image"],
        ),
        ("kubernetes:core/v1:Service", workload(clusterIP="None"), workload(), ["spec.clusterIP"]),
        ("kubernetes:core/v1:Service", {}, workload(clusterIP="None"), ["metadata.name", "spec"]),
        (
            CONFIG_MAP,
            {"metadata": {"name": "a", "namespace": "default"}},
            {"metadata": {"name": "b"}},
            ["metadata.name"],
        ),
    ],
)
def test_what_cannot_change_in_place(token: str, old: Any, new: Any, paths: list[str]) -> None:
    assert replaced(token, old, new) == paths


def test_the_old_one_goes_first_only_where_both_would_have_the_programs_name() -> None:
    kind = kind_of(CONFIG_MAP)

    def first(state: Any, news: Any) -> bool:
        return compared(kind, Settings(), state, state, news).delete_before_replace

    named = {"metadata": {"name": "a"}, "data": {"x": "1"}}
    autonamed = {"metadata": {"name": "a", "annotations": {AUTONAMED: "true"}}, "data": {"x": "1"}}
    assert first(named, {**named, "data": {"x": "2"}})
    assert not first(autonamed, {**autonamed, "data": {"x": "2"}})
    assert not first(named, {"metadata": {"name": "b"}, "data": {"x": "2"}})
    assert not first(named, {"metadata": {"name": "a", "namespace": "b"}, "data": {"x": "1"}})
    assert not first(named, {**named, "immutable": True})


def test_unknown_values_are_changes_that_replace_nothing_by_themselves() -> None:
    old = workload(template={"spec": {"volumes": [{"configMap": {"name": "a-1"}}]}})
    new = workload(template={"spec": {"volumes": [{"configMap": {"name": wire.UNKNOWN}}]}})
    diff = compared(kind_of(DEPLOYMENT), Settings(), old, old, new)
    assert [(change.path, change.kind, change.replaces) for change in diff.changes] == [
        ("spec.template.spec.volumes[0].configMap.name", "update", False)
    ]


def test_drift_is_what_changed_on_the_cluster_and_nothing_else() -> None:
    written = {"spec": {"replicas": 1, "memory": "1024Mi", "env": [], "ports": [{"port": 80}]}}
    before = {"spec": {"replicas": 1, "memory": "1Gi", "ports": [{"port": 80, "protocol": "TCP"}]}}
    assert drifted(written, before, {**before, "status": {"ready": True}}) == written
    live = {"spec": {"replicas": 3, "memory": "1Gi", "ports": [{"port": 81, "protocol": "TCP"}]}}
    assert drifted(written, before, live) == {
        "spec": {"replicas": 3, "memory": "1024Mi", "env": [], "ports": [{"port": 81}]}
    }
    gone = {"spec": {"memory": "1Gi", "ports": [{"port": 80, "protocol": "TCP"}]}}
    assert "replicas" not in drifted(written, before, gone)["spec"]


def test_ignored_paths_cover_what_is_inside_them() -> None:
    assert is_below("spec.replicas", "spec.replicas")
    assert is_below("spec.template.spec", "spec.template")
    assert is_below("spec.ports[0].port", "spec.ports")
    assert not is_below("spec.replicasMost", "spec.replicas")
