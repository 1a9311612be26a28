"""A stack on Kubernetes, seen through a kubectl that plays a cluster."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ops.errors import OpsError
from ops.inventory import Inventory
from ops.kubernetes.credentials import check_credentials
from ops.kubernetes.kubectl import KubectlError
from tests.support.cluster_answers import workload
from tests.support.ops_cluster import Cluster

GIT = {"repository": "https://git.example.com/x.git"}


@pytest.mark.parametrize(
    ("fields", "key", "command"),
    [
        ({"render": "deploy", "gitops": GIT}, "kubernetes.render", "make render STACK=dev;"),
        ({"render": "deploy"}, "kubernetes.render", "make render STACK=dev;"),
        ({"gitops": GIT}, "kubernetes.gitops.repository", "make render STACK=dev TO=<folder>;"),
    ],
    ids=["both", "folder", "repository"],
)
def test_stack_for_git_is_not_brought_up_from_here(
    cluster: Cluster, fields: dict[str, Any], key: str, command: str
) -> None:
    """Rendered with ``TO=`` it has no folder in its settings, and is somebody else's all the same."""
    site = cluster.site(existingSecrets={"grafana": "login"}, **fields)
    with pytest.raises(OpsError, match=f"{key}: the stack dev only writes manifests") as caught:
        site.examine()
    assert caught.value.advice.startswith(command)


@pytest.mark.parametrize(("findable", "status"), [(True, "ok"), (False, "fail")])
def test_buckets_on_aws_need_credentials(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, findable: bool, status: str
) -> None:
    monkeypatch.setattr("ops.kubernetes.credentials.credentials_findable", lambda _: findable)
    assert not list(check_credentials(cluster.stack().settings, {}))
    storage = {"bucketPrefix": "acme", "aws": {"region": "eu-central-1", "clusterName": "main"}}
    for phase in (3, 4):
        cluster.more = {"otel-stack:phase": phase, "otel-stack:objectStorage": storage}
        (found,) = check_credentials(cluster.stack().settings, {})
        assert found.status == status


def test_what_somebody_removed_is_found(cluster: Cluster) -> None:
    resources = [
        of_state("core/v1:Namespace", "observability"),
        of_state("apps/v1:Deployment", "observability/otel-gateway"),
        of_state("apps/v1:Deployment", "observability/grafana"),
        of_state("core/v1:ConfigMap", "observability/loki-1234"),
        of_state("core/v1:ConfigMap", "elsewhere/loki-1234"),
        of_state("rbac.authorization.k8s.io/v1:ClusterRole", "otel-gateway"),
        of_state("keda.sh/v1alpha1:ScaledObject", "observability/otel-processor"),
        {**of_state("core/v1:ConfigMap", "observability/loki-5678"), "delete": True},
        {"urn": "urn::random", "type": "random:index/randomPassword:RandomPassword", "id": "none"},
    ]
    cluster.says("get configmap,deployment.apps", "deployment.apps/grafana\n")
    cluster.says("get namespace observability", "namespace/observability\n")
    site = cluster.site()
    assert site.removed(resources) == ["urn::observability/otel-gateway", "urn::observability/loki-1234"]
    cluster.says("get configmap,deployment.apps", "")
    cluster.says("get namespace observability", "")
    assert site.removed(resources) == [
        "urn::observability",
        "urn::observability/otel-gateway",
        "urn::observability/grafana",
        "urn::observability/loki-1234",
    ]
    assert site.removed([]) == []


def of_state(kind: str, identifier: str) -> dict[str, Any]:
    return {"urn": f"urn::{identifier}", "type": f"kubernetes:{kind}", "id": identifier}


def test_kafkas_tools_run_in_the_pod(cluster: Cluster) -> None:
    cluster.says("exec deployment/kafka-topics -- bash -c", "\x00\xff")
    assert cluster.site().kafka().run("kafka-topics", "--describe", "$(id)") == b"\x00\xff"
    assert cluster.log[-1].endswith("bash kafka-topics --describe $(id)")


def test_a_tools_failure_is_its_telling_line(cluster: Cluster) -> None:
    told = "Error while executing topic command : timed out"
    cluster.fails("exec", f"{told}\n\tat org.apache.X\ncommand terminated with exit code 1")
    with pytest.raises(OpsError, match=f"kafka-topics: {told}") as caught:
        cluster.site().kafka().run("kafka-topics")
    assert "get pods -l app.kubernetes.io/name=kafka" in caught.value.advice


def test_stack_without_the_tools_pod_is_told(cluster: Cluster) -> None:
    with pytest.raises(OpsError, match="no deployment kafka-topics where the stack dev runs") as caught:
        cluster.site().kafka().run("kafka-topics")
    assert "strimzi" in caught.value.advice
    assert "createTopics" not in caught.value.advice


def test_password_that_somebody_else_keeps(cluster: Cluster) -> None:
    secret = base64.b64encode(b"p\xc3\xa4ss").decode()
    cluster.says("get secret login", {"data": {"admin-password": secret}})
    assert cluster.site(existingSecrets={"grafana": "login"}).password() == "päss"
    assert cluster.site().password() is None
    with pytest.raises(OpsError, match="NotFound") as caught:
        cluster.site(existingSecrets={"grafana": "other"}).password()
    assert caught.value.advice == "it is in the Secret other, key admin-password: ask whoever keeps it"


def test_command_that_does_not_end(cluster: Cluster) -> None:
    (cluster.folder / "bin" / "kubectl").write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(KubectlError, match="kubectl get pods: not finished within 0 s") as caught:
        cluster.kubectl().run("get", "pods", seconds=0.2)
    assert caught.value.away


@pytest.mark.parametrize(
    "fields",
    [
        {"gitops": GIT},
        {"render": "deploy", "existingSecrets": {"grafana": "login"}},
    ],
    ids=["by-git-tools", "by-kubectl"],
)
def test_stack_whose_manifests_are_applied_is_known_by_its_settings(
    cluster: Cluster, fields: dict[str, Any]
) -> None:
    site = cluster.site(**fields, namespace="telemetry")
    declared = site.declared_outputs()
    assert declared is not None
    assert declared.text("traces_query_url") == "http://jaeger.telemetry.svc:16686"
    cluster.says("get deployments", {"items": [workload("loki")]})
    nothing_in_the_state = Inventory(programs=(), probes={}, data_volumes=(), kept_urns=())
    assert [one.name for one in site.readings(nothing_in_the_state)] == ["loki"]


def test_stack_of_the_engine_is_known_by_its_state(cluster: Cluster) -> None:
    site = cluster.site()
    assert site.declared_outputs() is None
    cluster.says("get deployments", {"items": [workload("loki")]})
    down = Inventory(programs=(), probes={}, data_volumes=(), kept_urns=())
    assert [one.found for one in site.readings(down)] == ["the stack is down"]
