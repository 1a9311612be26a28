"""Jaeger with the stack's own file: what is stored is found, and what its queries leave behind."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from components.values.addresses import LOOPBACK
from components.values.documents import Document
from ops.smoke.traces import jaeger_trace
from tests.lab import cache
from tests.lab.errors import LabError
from tests.stores.replicas import answers, start
from tests.support.lab import missing
from tests.support.otlp import calls
from tests.support.ports import free_ports
from tests.support.waiting import until

SERVICE = "shop"
START_SECONDS, CALL_SECONDS = 60.0, 30.0

BUCKET = re.compile(r'[{,]le="(?P<bound>[^"]+)".* (?P<count>\S+)$')

OWN_SPANS = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
"""Would send the spans of Jaeger's own queries after 100 ms."""

OWN_SPANS_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Jaeger:
    """A running Jaeger.

    Attributes:
        otlp: where it accepts spans, over gRPC.
        query: base address of its query API.
        health: address of its health check.
        metrics: address of its own metrics.
    """

    otlp: str
    query: str
    health: str
    metrics: str

    def send(self) -> str:
        """Store a trace of one span; give its id."""
        trace_id = secrets.token_hex(16)
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        service = resource.resource.attributes.add(key="service.name")
        service.value.string_value = SERVICE
        now = time.time_ns()
        resource.scope_spans.add().spans.add(
            trace_id=bytes.fromhex(trace_id),
            span_id=secrets.token_bytes(8),
            name="order",
            start_time_unix_nano=now,
            end_time_unix_nano=now,
        )
        with calls(self.otlp, "traces") as call:
            answer = call(request)
        assert not answer.error, answer
        return trace_id

    def services(self) -> list[str]:
        """Ask which services have traces."""
        return list(self._get(f"{self.query}/api/services").json()["data"])

    def buckets(self, histogram: str, **labels: str) -> dict[float, float]:
        """Give the counts of one of its own histograms, by upper bound, of the series with these labels."""
        lines = self._get(self.metrics).text.splitlines()
        series = [line for line in lines if line.startswith(f"{histogram}_bucket{{")]
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        found = [BUCKET.search(line) for line in series if all(one in line for one in wanted)]
        return {float(one["bound"]): float(one["count"]) for one in found if one}

    def _get(self, url: str) -> httpx.Response:
        return httpx.get(url, timeout=CALL_SECONDS).raise_for_status()


def shipped(folder: Path, addresses: Mapping[str, int]) -> Document:
    """Read the stack's file, with files in this folder and with ports of this machine."""
    document = Document.read("jaeger/jaeger.yaml")
    endpoints: dict[str, tuple[Any, ...]] = {
        "otlp": ("receivers", "otlp", "protocols", "grpc"),
        "health": ("extensions", "healthcheckv2", "http"),
        "query": ("extensions", "jaeger_query", "http"),
        "query_grpc": ("extensions", "jaeger_query", "grpc"),
    }
    for name, place in endpoints.items():
        document.set(*place, "endpoint", to=f"{LOOPBACK}:{addresses[name]}")
    pulled = document.get("service", "telemetry", "metrics", "readers")[0]["pull"]["exporter"]["prometheus"]
    pulled.update(host=LOOPBACK, port=addresses["metrics"])
    badger = ("extensions", "jaeger_storage", "backends", "main", "badger", "directories")
    for kind in ("keys", "values"):
        document.set(*badger, kind, to=str(folder / kind))
    return document


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    try:
        program = cache.binary("jaeger")
    except LabError as error:
        missing(str(error))
    folder = tmp_path_factory.mktemp("jaeger")
    names = ("otlp", "health", "query", "query_grpc", "metrics")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    file = folder / "config.yaml"
    file.write_text(shipped(folder, ports).dump())
    urls = {name: f"http://{LOOPBACK}:{port}" for name, port in ports.items()}
    # In its container the default, port 4317 of the same address, is Jaeger itself.
    variables = {**OWN_SPANS, "OTEL_EXPORTER_OTLP_ENDPOINT": urls["otlp"]}
    running = start("jaeger", [str(program), "--config", str(file)], folder, variables)
    found = Jaeger(
        otlp=f"{LOOPBACK}:{ports['otlp']}",
        query=urls["query"],
        health=f"{urls['health']}/status",
        metrics=f"{urls['metrics']}/metrics",
    )
    try:
        until("Jaeger is healthy", lambda: answers(running, found.health), seconds=START_SECONDS)
        yield found
    finally:
        running.end()


def test_a_trace_is_found_as_soon_as_it_is_acknowledged(jaeger: Jaeger) -> None:
    trace_id = jaeger.send()
    with httpx.Client(timeout=CALL_SECONDS) as client:
        assert jaeger_trace(client, jaeger.query, trace_id).spans == 1
        found = client.get(f"{jaeger.query}/api/v3/traces/{trace_id}").raise_for_status()
    assert SERVICE in found.text


def test_queries_are_no_traces_among_those_of_the_applications(jaeger: Jaeger) -> None:
    jaeger.send()
    jaeger.services()
    time.sleep(OWN_SPANS_SECONDS)
    assert jaeger.services() == [SERVICE]


def test_durations_of_queries_are_told_apart(jaeger: Jaeger) -> None:
    jaeger.services()
    counts = jaeger.buckets("jaeger_storage_latency_seconds", operation="get_services", result="ok")
    assert len([bound for bound in counts if 0 < bound < 1]) >= 5
    assert max(counts) == float("inf")
    assert counts[1.0] > 0
