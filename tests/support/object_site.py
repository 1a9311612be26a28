"""A stack of phase 4 in a cluster: its stores under the names by which drills ask those of phase 3."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ops.smoke.traces import PROTOBUF
from ops.web import tenant_header
from tests.support.kubernetes_site import ClusterSite, Pod
from tests.support.numbered import Load, kind_of, trace_id
from tests.support.waiting import until

TENANT = "otel-stack"
BUCKET_OF = {"tempo": "traces", "mimir": "metrics", "loki-cluster": "logs"}
"""Store -> purpose of the bucket into which it writes."""
STORES = tuple(BUCKET_OF)
MIMIR, TEMPO, LOKI = 9009, 3200, 3100
ANSWER_SECONDS, FLUSH_SECONDS = 60.0, 300.0
ASKED_SECONDS = 5.0
"""Enough for a replica to begin what it is asked for."""
QUERIED = "query-gateway"
"""The Service behind which all stores are queried."""
_PATHS: Mapping[int, str] = {MIMIR: "/prometheus", TEMPO: "", LOKI: ""}
"""Port of a store -> the path of its query API."""
FLUSH: Mapping[str, tuple[str, int, str]] = {
    "tempo": ("GET", TEMPO, "/flush"),
    "mimir": ("POST", MIMIR, "/ingester/flush?wait=true"),
    "loki-cluster": ("POST", LOKI, "/flush"),
}
"""How a replica is told to flush what it has to the bucket."""
FAILED_FLUSHES = {
    "tempo": "tempo_ingester_failed_flushes_total",
    "mimir": "cortex_ingester_shipper_upload_failures_total",
    "loki-cluster": "loki_ingester_chunks_flush_failures_total",
}
"""What a replica counts when its bucket does not take what it flushes."""


@dataclass(frozen=True, kw_only=True)
class ObjectSite(ClusterSite):
    """A running stack of phase 4."""

    prometheus: int = MIMIR
    jaeger: int = TEMPO

    def url(self, port: int) -> str:
        """Address of the store that has a port, up to its query API, where Grafana and readers find it."""
        return f"http://{self.services[QUERIED]}:{port}{_PATHS[port]}"

    def get(self, port: int, path: str, **parameters: str | int) -> Any:
        """Ask a store's HTTP API as the stack's tenant."""
        answer = httpx.get(
            f"{self.url(port)}{path}",
            params=parameters,
            headers=tenant_header(TENANT),
            timeout=ANSWER_SECONDS,
        )
        return answer.raise_for_status().json()

    def traces(self, load: Load, kind: str) -> Iterator[tuple[str, set[str]]]:
        """Ids of the acknowledged traces of a kind that Tempo has, each with those of its spans."""
        with httpx.Client(headers={**tenant_header(TENANT), **PROTOBUF}, timeout=ANSWER_SECONDS) as client:
            for number in [one for one in load.tallies["traces"].acknowledged if kind_of(one) == kind]:
                identity = trace_id(load.run, number).hex()
                answer = client.get(f"{self.url(TEMPO)}/api/traces/{identity}")
                if answer.status_code != httpx.codes.NOT_FOUND:
                    yield identity, _spans(answer.raise_for_status().content)

    def flush(self, store: str) -> None:
        """Let every replica of a store flush what it has to its bucket.

        One that does not answer in time continues all the same, and is asked again.
        """
        method, port, path = FLUSH[store]
        for pod in self.pods(store):
            url = f"http://{pod.address}:{port}{path}"

            def is_done(url: str = url) -> bool:
                return bool(httpx.request(method, url, timeout=ANSWER_SECONDS).raise_for_status())

            until(f"{pod.name} to hand over", is_done, seconds=FLUSH_SECONDS, forgive=(httpx.HTTPError,))

    def demand_failed_flushes(self, store: str, seconds: float) -> None:
        """Let replicas of a store try to flush to a bucket that is away, until one has counted a failure."""
        method, port, path = FLUSH[store]

        def has_failed() -> bool:
            for pod in self.pods(store):
                url = f"http://{pod.address}:{port}"
                with suppress(httpx.HTTPError):
                    httpx.request(method, f"{url}{path}", timeout=ASKED_SECONDS)
                counted = httpx.get(f"{url}/metrics", timeout=ANSWER_SECONDS).raise_for_status().text
                counts = re.findall(rf"^{FAILED_FLUSHES[store]}(?:{{.*}})? (\S+)$", counted, re.MULTILINE)
                if any(float(count) for count in counts):
                    return True
            return False

        until(f"{store} to fail to flush", has_failed, seconds=seconds, forgive=(httpx.HTTPError,))

    def volume_of(self, pod: Pod) -> str:
        """Name the claim of a pod's data."""
        return next(
            str(volume["persistentVolumeClaim"]["claimName"])
            for volume in pod.spec["volumes"]
            if "persistentVolumeClaim" in volume
        )

    def wipe(self, pod: Pod) -> None:
        """Delete a pod and its volume, and wait until both are back, the volume empty."""
        self.kubectl("delete", "pvc", self.volume_of(pod), "--wait=false")
        self.delete(pod)


def _spans(content: bytes) -> set[str]:
    found = TracesData()
    found.ParseFromString(content)
    return {
        span.span_id.hex()
        for resource in found.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
