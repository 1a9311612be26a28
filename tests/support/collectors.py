"""Collectors as the program configures them, and as processes with a part of that configuration."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.lab import cache
from tests.support.ports import free_ports
from tests.support.program import CONTAINER, Result
from tests.support.waiting import until

BY_RESOURCE = {"traces": "resourceSpans", "metrics": "resourceMetrics"}
START_SECONDS, END_SECONDS, CALL_SECONDS = 60.0, 60.0, 60.0


def one_span(trace_id: str, name: str, *, failed: bool = False) -> dict[str, Any]:
    """Make a request of one span that begins and ends now."""
    at = str(time.time_ns())
    status = {"code": 2} if failed else {}
    span = {"traceId": trace_id, "spanId": secrets.token_hex(8), "name": name, "status": status}
    times = {"startTimeUnixNano": at, "endTimeUnixNano": at}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [{**span, **times}]}]}]}


def rendered_collector(result: Result, name: str) -> Any:
    """Give the configuration of a tier of collectors."""
    holder = next(one for one in result.of(CONTAINER) if one.name.startswith(f"{name}-config-"))
    uploads = {upload["file"]: upload["content"] for upload in holder.plain("uploads")}
    return yaml.safe_load(next(text for file, text in uploads.items() if file.endswith("config.yaml")))


@dataclass(frozen=True, kw_only=True)
class RunningCollector:
    """A collector that accepts a signal over OTLP and writes what its processors keep of it to a file.

    Attributes:
        signal: what it accepts.
        url: address of OTLP over HTTP.
        target: address of OTLP over gRPC, which it accepts if told how.
        metrics: address of its own metrics.
        written: the file, one request in JSON per line.
        log: file with its output.
    """

    signal: str
    url: str
    target: str
    metrics: str
    written: Path
    log: Path

    def send(self, request: Mapping[str, Any]) -> None:
        """Send a request of the signal."""
        url = f"{self.url}/v1/{self.signal}"
        httpx.post(url, json=request, timeout=CALL_SECONDS).raise_for_status()

    def counted(self, metric: str) -> float:
        """Give the sum of all series of one of its own metrics."""
        lines = httpx.get(self.metrics, timeout=CALL_SECONDS).raise_for_status().text.splitlines()
        found = [line for line in lines if line.startswith((f"{metric} ", f"{metric}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def requests(self) -> list[Mapping[str, Any]]:
        """Give what was written, by resource."""
        lines = self.written.read_text().splitlines(keepends=True) if self.written.exists() else []
        return [
            one for line in lines if line.endswith("\n") for one in json.loads(line)[BY_RESOURCE[self.signal]]
        ]

    def resources(self) -> list[Mapping[str, Any]]:
        """Give the senders of what was written."""
        return [one["resource"] for one in self.requests()]

    def spans(self) -> list[Mapping[str, Any]]:
        """Give all spans that were written."""
        scopes = [scope for one in self.requests() for scope in one["scopeSpans"]]
        return [span for scope in scopes for span in scope["spans"]]

    def data_points(self) -> list[Mapping[str, Any]]:
        """Give all data points of sums that were written, with what they add up to."""
        scopes = [scope for one in self.requests() for scope in one["scopeMetrics"]]
        sums = [metric["sum"] for scope in scopes for metric in scope["metrics"]]
        return [
            {**point, "temporality": one["aggregationTemporality"]}
            for one in sums
            for point in one["dataPoints"]
        ]


@contextmanager
def running_collector(
    processors: Mapping[str, Any],
    folder: Path,
    *,
    signal: str = "traces",
    grpc: Mapping[str, Any] | None = None,
    exporters: Mapping[str, Any] | None = None,
    receivers: Mapping[str, Any] | None = None,
) -> Iterator[RunningCollector]:
    """Run the lab's collector with processors between OTLP and a file.

    Args:
        processors: configuration of each, in their order.
        folder: where its files go.
        signal: what it accepts.
        grpc: configuration of OTLP over gRPC but for its address, if it is accepted as well.
        exporters: configuration of what writes in place of the file.
        receivers: configuration of what it receives from besides.

    Raises:
        LabError: the lab has not built it.
    """
    program = cache.binary("otelcol-contrib")
    port, grpc_port, metrics = free_ports(3)
    folder.mkdir(exist_ok=True)
    written, log, file = folder / "written.json", folder / "log", folder / "config.yaml"
    pulled = {"host": "127.0.0.1", "port": metrics}
    target = f"127.0.0.1:{grpc_port}"
    protocols: dict[str, Any] = {"http": {"endpoint": f"127.0.0.1:{port}"}}
    if grpc is not None:
        protocols["grpc"] = {**grpc, "endpoint": target}
    writers = exporters or {"file": {"path": str(written), "flush_interval": "100ms"}}
    configuration = {
        "receivers": {"otlp": {"protocols": protocols}, **(receivers or {})},
        "processors": dict(processors),
        "exporters": dict(writers),
        "service": {
            "telemetry": {"metrics": {"readers": [{"pull": {"exporter": {"prometheus": pulled}}}]}},
            "pipelines": {
                signal: {
                    "receivers": ["otlp", *(receivers or {})],
                    "processors": list(processors),
                    "exporters": list(writers),
                }
            },
        },
    }
    file.write_text(yaml.safe_dump(configuration, sort_keys=False))
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen([program, f"--config={file}"], stdout=output, stderr=subprocess.STDOUT)
    try:
        until(
            f"the collector takes {signal} ({log})",
            lambda: process.poll() is not None or httpx.post(f"{url}/v1/{signal}", json={}, timeout=5),
            seconds=START_SECONDS,
            pause=0.1,
            forgive=(httpx.HTTPError,),
        )
        assert process.poll() is None, log.read_text()
        own = f"http://127.0.0.1:{metrics}/metrics"
        yield RunningCollector(signal=signal, url=url, target=target, metrics=own, written=written, log=log)
    finally:
        process.terminate()
        process.wait(timeout=END_SECONDS)
