"""A stack on Kubernetes, seen through a kubectl that plays a cluster."""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ops.errors import OpsError
from ops.health.model import Reading, Status
from ops.inventory import Inventory
from ops.kubernetes import forward
from ops.kubernetes.autoscalers import autoscaler_readings
from ops.kubernetes.credentials import check_credentials
from ops.kubernetes.kubectl import KubectlError
from ops.kubernetes.readings import quantity
from ops.outputs import StackOutputs
from ops.project import ROOT
from tests.support.ops_cluster import Cluster
from tests.support.waiting import until

OUTPUTS = StackOutputs(
    {
        "contract_version": "1",
        "otlp_grpc_endpoint": "https://otlp.example.com:443",
        "otlp_http_endpoint": "https://otlp-http.example.com:443",
        "grafana_url": "https://grafana.example.com:443",
        "traces_query_url": "http://jaeger.observability.svc:16686",
        "traces_ui_url": "http://jaeger.observability.svc:16686",
        "metrics_query_url": "http://prometheus.observability.svc:9090",
        "logs_query_url": "http://loki.observability.svc:3100",
    }
)
PROGRAMS = ("kafka-topics", "loki", "otel-gateway")
INVENTORY = Inventory(programs=PROGRAMS, probes={}, data_volumes=(), kept_urns=())


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def test_stack_for_git_is_not_brought_up_from_here(cluster: Cluster) -> None:
    site = cluster.site(
        render="deploy",
        existingSecrets={"grafana": "login"},
        gitops={"repository": "https://git.example.com/x.git"},
    )
    with pytest.raises(OpsError, match="only writes manifests") as caught:
        site.examine()
    assert caught.value.advice == "make render STACK=dev"


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


def test_services_are_reached_on_free_ports_for_as_long_as_needed(cluster: Cluster) -> None:
    with cluster.site().reached(OUTPUTS) as local:
        urls = [url for name, url in local.values.items() if name != "contract_version"]
        assert all(str(url).startswith("http://127.0.0.1:") for url in urls)
        assert local.text("traces_query_url") == local.text("traces_ui_url")
        ports = {int(str(url).rsplit(":", 1)[1]) for url in urls}
        for port in ports:
            socket.create_connection(("127.0.0.1", port), 5).close()
    assert len(ports) == 6
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)


def test_path_of_a_stores_address_is_kept(cluster: Cluster) -> None:
    mimir = {"metrics_query_url": "http://mimir-read.observability.svc:9009/prometheus"}
    with cluster.site().reached(StackOutputs({**OUTPUTS.values, **mimir})) as local:
        assert local.text("metrics_query_url").endswith("/prometheus")
    assert any("port-forward --address=127.0.0.1 service/mimir-read :9009" in line for line in cluster.log)


def test_service_that_cannot_be_reached_keeps_its_own_address(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.lose("loki")
    with cluster.site().reached(OUTPUTS) as local:
        assert local.text("logs_query_url") == OUTPUTS.text("logs_query_url")
        assert local.text("otlp_http_endpoint").startswith("http://127.0.0.1:")
    assert "service/loki cannot be reached: unable to forward port" in capfd.readouterr().err


def test_kubectl_that_says_nothing_is_given_up_on(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (cluster.folder / "bin" / "kubectl").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(forward, "OPEN_SECONDS", 0.3)
    with forward.forwarded(cluster.kubectl(), {"loki": [3100]}) as opened:
        assert opened == {}
    assert "service/loki cannot be reached: no answer within 0 s" in capfd.readouterr().err


def test_a_port_that_people_use_is_opened_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A connection leads to one pod, and ends with it."""
    monkeypatch.setattr(forward, "CHECK_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with forward.forwarded(cluster.kubectl(), {"loki": [port]}, same_ports=True) as opened:
        assert opened == {("loki", port): port}
        cluster.end_forwards()
        said = ""

        def is_open_again() -> bool:
            nonlocal said
            said += capfd.readouterr().err
            return "service/loki is open again" in said

        until("it to be open", is_open_again, seconds=20)
        assert said.count("the connection has ended; opening it again") == 1
        socket.create_connection(("127.0.0.1", port), 5).close()


def workload(name: str, *, wanted: int = 1, ready: int = 1) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready},
    }


def pod(owner: str, name: str, **status: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": owner}},
        "status": status,
    }


def autoscaler(minutes: float, **conditions: str) -> dict[str, Any]:
    since = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    moment = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "otel-gateway"},
        "spec": {"minReplicas": 2, "maxReplicas": 6},
        "status": {
            "currentReplicas": 2,
            "conditions": [
                {"type": kind, "status": status, "message": "no metrics", "lastTransitionTime": moment}
                for kind, status in conditions.items()
            ],
        },
    }


@pytest.mark.parametrize(
    ("minutes", "conditions", "status", "found"),
    [
        (60, {"AbleToScale": "True", "ScalingActive": "True"}, "healthy", "2 to 6 replicas, now 2"),
        (60, {"AbleToScale": "True", "ScalingLimited": "False"}, "healthy", "2 to 6 replicas, now 2"),
        (60, {"AbleToScale": "True", "ScalingActive": "False"}, "degraded", "no metrics"),
        (1, {"AbleToScale": "True", "ScalingActive": "False"}, "healthy", "2 to 6 replicas, now 2"),
    ],
)
def test_an_autoscaler_without_figures_is_told(
    cluster: Cluster, minutes: float, conditions: dict[str, str], status: str, found: str
) -> None:
    cluster.says("get horizontalpodautoscalers", {"items": [autoscaler(minutes, **conditions)]})
    (reading,) = autoscaler_readings(cluster.kubectl(), by_lag=False)
    assert (reading.status, reading.found) == (status, found)


def test_kedas_object_is_asked_too(cluster: Cluster) -> None:
    condition = {"type": "Ready", "status": "False", "message": "no broker answers"}
    scaled = {
        "kind": "ScaledObject",
        "metadata": {"name": "otel-processor"},
        "spec": {"minReplicaCount": 2, "maxReplicaCount": 6},
        "status": {"conditions": [condition]},
    }
    cluster.says("get horizontalpodautoscalers,scaledobjects.keda.sh", {"items": [scaled]})
    (reading,) = autoscaler_readings(cluster.kubectl(), by_lag=True)
    assert (reading.name, reading.found) == ("otel-processor (KEDA)", "no broker answers")
    assert reading.status == "degraded"


OURS = ("app.kubernetes.io/part-of", "otel-stack")


def test_claims_that_are_smaller_than_the_settings_ask_for_are_told(cluster: Cluster) -> None:
    asked = {"storage.otel-stack.io/kafka-data": "6Gi"}
    brokers = {**workload("kafka", wanted=2, ready=2), "kind": "StatefulSet"}
    brokers["metadata"] = {**brokers["metadata"], "annotations": asked}
    larger = claim("kafka-data-kafka-2", "Bound")
    larger["status"]["capacity"]["storage"] = "6442450944"
    objects = [brokers, claim("kafka-data-kafka-1", "Bound"), larger]
    cluster.says("get deployments,statefulsets,pods,persistentvolumeclaims", {"items": objects})
    readings = {one.name: one for one in cluster.site().readings(INVENTORY)}
    assert readings["kafka-data-kafka-2"].status == "healthy"
    assert readings["kafka-data-kafka-1"].status == "degraded"
    assert readings["kafka-data-kafka-1"].found == "5Gi of class fast, the settings ask for 6Gi"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("16Gi", 16 * 2**30),
        ("1.5Ti", 1.5 * 2**40),
        ("5G", 5e9),
        ("1048576", 2**20),
        ("16GiB", None),
        ("", None),
    ],
)
def test_amounts_of_storage_are_read(text: str, amount: float | None) -> None:
    assert quantity(text) == amount


def claim(name: str, phase: str, label: tuple[str, str] = OURS) -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": dict([label])},
        "spec": {"storageClassName": "fast"},
        "status": {"phase": phase, **({"capacity": {"storage": "5Gi"}} if phase == "Bound" else {})},
    }


NO_PROGRESS = {"type": "Progressing", "status": "False", "message": "ReplicaSet loki-2 has timed out."}
NO_NODE = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}


def waits(reason: str) -> dict[str, Any]:
    return {"containerStatuses": [{"state": {"waiting": {"reason": reason}}}]}


def test_programs_pods_and_claims(cluster: Cluster) -> None:
    restarted = {"restartCount": 2, "lastState": {"terminated": {"reason": "OOMKilled"}}}
    objects = [
        workload("otel-gateway", wanted=3, ready=1),
        pod("otel-gateway", "otel-gateway-a", conditions=[NO_NODE]),
        pod("otel-gateway", "otel-gateway-b", **waits("Bad")),
        workload("loki"),
        pod("loki", "loki-1", containerStatuses=[restarted]),
        claim("loki-data-loki-1", "Bound"),
        claim("jaeger-data-jaeger-1", "Pending"),
    ]
    cluster.says("get deployments,statefulsets,pods,persistentvolumeclaims", {"items": objects})
    readings = {one.name: one for one in cluster.site().readings(INVENTORY)}
    assert {name: one.found for name, one in readings.items()} == {
        "kafka-topics": "it is not there",
        "loki": "1 of 1 ready; loki-1: 2 restarts, the last after OOMKilled",
        "otel-gateway": "1 of 3 ready; otel-gateway-a: 0/1 nodes are available; otel-gateway-b: Bad",
        "loki-data-loki-1": "5Gi of class fast",
        "jaeger-data-jaeger-1": "Pending",
    }
    healthy = [name for name, one in readings.items() if one.status == "healthy"]
    assert healthy == ["loki", "loki-data-loki-1"]
    assert readings["otel-gateway"].advice.endswith("describe pods -l app.kubernetes.io/name=otel-gateway")


@pytest.mark.parametrize(
    ("owner", "new", "status", "found"),
    [
        ({}, waits("ImagePullBackOff"), "degraded", "loki-2: ImagePullBackOff"),
        ({}, waits("CrashLoopBackOff"), "degraded", "loki-2: CrashLoopBackOff"),
        ({}, waits("CreateContainerConfigError"), "degraded", "loki-2: CreateContainerConfigError"),
        ({}, {"conditions": [NO_NODE]}, "degraded", "loki-2: 0/1 nodes are available"),
        ({"conditions": [NO_PROGRESS]}, {}, "degraded", "ReplicaSet loki-2 has timed out."),
        ({"conditions": [{**NO_PROGRESS, "status": "True"}]}, {}, "healthy", ""),
        ({}, waits("ContainerCreating"), "healthy", "loki-2: ContainerCreating"),
        ({}, waits("PodInitializing"), "healthy", "loki-2: PodInitializing"),
    ],
)
def test_a_rollout_that_is_stuck_is_told_from_one_that_goes_on(
    cluster: Cluster, owner: dict[str, Any], new: dict[str, Any], status: Status, found: str
) -> None:
    """The old pods stay ready meanwhile."""
    loki = workload("loki")
    loki["status"] |= owner
    objects = [loki, pod("loki", "loki-1"), pod("loki", "loki-2", **new)]
    cluster.says("get deployments,statefulsets,pods,persistentvolumeclaims", {"items": objects})
    reading = {one.name: one for one in cluster.site().readings(INVENTORY)}["loki"]
    assert (reading.status, reading.found) == (status, "; ".join(filter(None, ("1 of 1 ready", found))))


@pytest.mark.parametrize("variables", [[], [{"name": "AWS_REGION"}]])
def test_a_pod_that_was_created_before_its_role_is_degraded(
    cluster: Cluster, variables: list[dict[str, str]]
) -> None:
    early, late = pod("loki", "loki-1"), pod("loki", "loki-2")
    given = [*variables, {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI"}]
    for one, env in ((early, variables), (late, given)):
        one["metadata"]["annotations"] = {"otel-stack.io/associated-role": "arn:aws:iam::123456789012:role/l"}
        one["spec"] = {"containers": [{"name": "loki", "env": env}]}
    cluster.says(
        "get deployments,statefulsets,pods,persistentvolumeclaims", {"items": [workload("loki"), early, late]}
    )
    reading = {one.name: one for one in cluster.site().readings(INVENTORY)}["loki"]
    assert reading.status == "degraded"
    assert reading.found == "1 of 1 ready; loki-1: created before EKS knew its role: delete this pod"


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


def test_a_program_scaled_to_0_is_not_healthy(cluster: Cluster) -> None:
    objects = [workload("otel-gateway", wanted=0, ready=0)]
    cluster.says("get deployments,statefulsets,pods,persistentvolumeclaims", {"items": objects})
    inventory = Inventory(programs=("otel-gateway",), probes={}, data_volumes=(), kept_urns=())
    (reading,) = cluster.site().readings(inventory)
    assert (reading.status, reading.found) == ("degraded", "scaled to 0")
    assert reading.advice.endswith("scale deployment otel-gateway --replicas=REPLICAS")


def test_cluster_that_is_away_is_unknown(cluster: Cluster) -> None:
    cluster.fails("get deployments", "The connection to the server 10.0.0.1:6443 was refused")
    (reading,) = cluster.site().readings(INVENTORY)
    assert isinstance(reading, Reading)
    assert (reading.status, reading.name) == ("unknown", "pods")


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


def test_data_is_named_and_removed_as_claims(cluster: Cluster) -> None:
    items = [
        claim("loki-data-loki-1", "Bound"),
        claim("data-0-kafka-broker-0", "Bound", ("strimzi.io/cluster", "kafka")),
        claim("of-somebody-else", "Bound", ("team", "shop")),
    ]
    cluster.says("get persistentvolumeclaims", {"items": items})
    cluster.says("delete", "")
    site = cluster.site()
    names = "loki-data-loki-1, data-0-kafka-broker-0"
    assert site.data(INVENTORY) == f"the PersistentVolumeClaims {names} of namespace observability"
    site.forget_data()
    assert "delete persistentvolumeclaims loki-data-loki-1 data-0-kafka-broker-0 --wait" in cluster.log[-2]
    assert not any(" annotate " in line for line in cluster.log)
    with pytest.raises(OpsError, match="loki-data-loki-1") as caught:
        site.volumes()
    assert "VolumeSnapshots" in caught.value.advice


def test_strimzis_topics_go_before_the_kafka_that_they_are_deleted_by(cluster: Cluster) -> None:
    cluster.more = {"otel-stack:kafka": {"mode": "strimzi"}}
    broker = claim("data-0-kafka-broker-0", "Bound", ("strimzi.io/cluster", "kafka"))
    cluster.says("get persistentvolumeclaims", {"items": [broker]})
    cluster.says("delete", "")
    cluster.site().forget_data()
    deleted = [line.partition(" delete ")[2].split()[0] for line in cluster.log if " delete " in line]
    assert deleted == [
        "kafkatopics.kafka.strimzi.io,kafkausers.kafka.strimzi.io",
        "kafkas.kafka.strimzi.io,kafkanodepools.kafka.strimzi.io",
        "persistentvolumeclaims",
    ]
    ours = [line for line in cluster.log if ".strimzi.io," in line]
    assert all("--selector=app.kubernetes.io/part-of=otel-stack" in line for line in ours)


def owned(by: str) -> dict[str, Any]:
    return {"metadata": {"name": "observability", "annotations": {"otel-stack.io/owner": by}}}


def test_claims_in_the_namespace_of_another_stack_are_not_touched(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.says("get namespace observability", owned("otel-stack/other"))
    cluster.says("get persistentvolumeclaims", {"items": [claim("loki-data-loki-1", "Bound")]})
    site = cluster.site()
    found = site.data(INVENTORY)
    assert (
        found == "no PersistentVolumeClaim, because the namespace observability belongs to otel-stack/other"
    )
    site.forget_data()
    assert not any(" delete " in line or " annotate " in line for line in cluster.log)
    assert "belongs to the stack otel-stack/other" in capfd.readouterr().err


def test_a_namespace_is_free_for_others_once_the_claims_are_gone(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.says("get namespace observability", owned("otel-stack/dev"))
    cluster.says("get persistentvolumeclaims", {"items": [claim("loki-data-loki-1", "Bound")]})
    cluster.says("delete", "")
    cluster.fails("annotate", "Error from server (Forbidden): namespaces is forbidden")
    cluster.site().forget_data()
    assert "delete persistentvolumeclaims loki-data-loki-1" in cluster.log[-3]
    assert cluster.log[-1].endswith("annotate namespace observability otel-stack.io/owner-")
    assert "still this stack's" in capfd.readouterr().err


def test_nothing_to_remove_is_not_removed(cluster: Cluster) -> None:
    cluster.says("get persistentvolumeclaims", {"items": []})
    cluster.site().forget_data()
    assert not any(" delete " in line for line in cluster.log)


def test_command_that_does_not_end(cluster: Cluster) -> None:
    (cluster.folder / "bin" / "kubectl").write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(KubectlError, match="kubectl get pods: not finished within 0 s") as caught:
        cluster.kubectl().run("get", "pods", seconds=0.2)
    assert caught.value.away


@pytest.mark.parametrize(
    "fields",
    [
        {"gitops": {"repository": "https://git.example.com/x.git"}},
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


OPEN_A_PORT = """
import signal
from pathlib import Path
from ops.__main__ import end_in_order
from ops.kubernetes.forward import forwarded
from ops.kubernetes.kubectl import Kubectl

end_in_order()
kubectl = Kubectl(program=Path({program!r}), kubeconfig=Path("k"), context="c", namespace="n")
with forwarded(kubectl, {{"loki": [3100]}}) as ports:
    print(ports["loki", 3100], flush=True)
    signal.pause()
"""


def test_ports_close_when_the_command_is_told_to_end(cluster: Cluster) -> None:
    script = OPEN_A_PORT.format(program=str(cluster.kubectl().program))
    command = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None
    port = int(command.stdout.readline())
    command.terminate()
    assert command.wait(20) == 143
    command.stdout.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
