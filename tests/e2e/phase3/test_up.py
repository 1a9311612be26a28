"""A stack from nothing: telemetry arrives, a pod's says whose it is, a second preview finds nothing to do."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time

import httpx

from ops.project import ROOT
from tests.e2e.phase3.conftest import NAMESPACE
from tests.support import client_pods
from tests.support.deployment import ClusterDeployment
from tests.support.kubernetes_site import GRPC, HTTP, ClusterSite
from tests.support.waiting import until

ARRIVAL_SECONDS = 120.0


def test_telemetry_through_the_service_is_found(deployed: ClusterDeployment) -> None:
    site = deployed.site
    addresses = {
        "grpc": f"http://{site.services['otel-gateway']}:{GRPC}",
        "http": site.web_target,
        "traces": site.url(site.jaeger),
        "metrics": site.url(site.prometheus),
        "logs": site.url(site.loki),
    }
    options = [text for name, url in addresses.items() for text in (f"--{name}", url)]
    command = [sys.executable, "-m", "ops", "smoke", "--json", "--timeout", str(ARRIVAL_SECONDS), *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(ended.stdout)
    assert {one["signal"] for one in report["arrivals"] if one["arrived"]} == {
        "trace",
        "log",
        "metric",
        "exemplar",
    }


def test_a_second_preview_finds_nothing_to_do(deployed: ClusterDeployment) -> None:
    deployed.stack.preview("--expect-no-changes")


def test_a_pods_telemetry_says_whose_it_is(deployed: ClusterDeployment, site: ClusterSite) -> None:
    service, trace = f"client-{secrets.token_hex(4)}", secrets.token_hex(16)
    resource = {"attributes": [_attribute("service.name", service)]}
    gateway = f"http://otel-gateway.{NAMESPACE}.svc:{HTTP}/v1"
    now = time.time_ns()
    log = {"body": {"stringValue": "from a pod"}}
    point = {"timeUnixNano": str(now), "asDouble": 1}
    span = {
        "traceId": trace,
        "spanId": secrets.token_hex(8),
        "name": "from a pod",
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 1_000_000),
        "status": {"code": 2},
    }
    scoped = {"metrics": [{"name": "client_probe", "gauge": {"dataPoints": [point]}}]}
    pod = client_pods.post(
        deployed.cluster,
        {
            f"{gateway}/logs": _request("Logs", resource, {"logRecords": [log]}),
            f"{gateway}/metrics": _request("Metrics", resource, scoped),
            f"{gateway}/traces": _request("Spans", resource, {"spans": [span]}),
        },
    )
    expected = {"k8s.namespace.name": client_pods.NAMESPACE, "k8s.pod.name": pod}
    for ask in (
        lambda: _of_log(site, service),
        lambda: _of_metric(site, service),
        lambda: _of_trace(site, trace),
    ):
        found = until("the pod's telemetry", ask, seconds=ARRIVAL_SECONDS, pause=1)
        known = {key.replace("_", "."): value for key, value in found.items()}
        assert expected.items() <= known.items(), known
        assert known["k8s.node.name"]


def _attribute(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": {"stringValue": value}}


def _request(signal: str, resource: object, scoped: object) -> dict[str, object]:
    return {f"resource{signal}": [{"resource": resource, f"scope{signal}": [scoped]}]}


def _of_log(site: ClusterSite, service: str) -> dict[str, str]:
    query = f'{{service_name="{service}"}} | k8s_pod_name != ""'
    found = site.get(site.loki, "/loki/api/v1/query_range", query=query)["data"]["result"]
    return dict(found[0]["stream"]) if found else {}


def _of_metric(site: ClusterSite, service: str) -> dict[str, str]:
    """What is known of the sample's resource, if the sample is there."""
    label = f'service_name="{service}"'
    query = f'target_info{{{label},k8s_pod_name!=""}} and on () client_probe{{{label}}}'
    found = site.get(site.prometheus, "/api/v1/query", query=query)
    return dict(found["data"]["result"][0]["metric"]) if found["data"]["result"] else {}


def _of_trace(site: ClusterSite, trace: str) -> dict[str, str]:
    found = httpx.get(f"{site.url(site.jaeger)}/api/traces/{trace}", timeout=30)
    if found.is_error:  # not found yet
        return {}
    processes = [
        {tag["key"]: tag["value"] for tag in process["tags"]}
        for process in found.json()["data"][0]["processes"].values()
    ]
    return next((tags for tags in processes if "k8s.pod.name" in tags), {})
