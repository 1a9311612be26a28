"""The operator's proof on live data, and every query that is shipped, against the running stack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from components.values.documents import CONFIGS
from ops.project import ROOT
from tests.support.docker_site import Site
from tests.support.queries import PanelQuery, execute, iter_queries
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def report(stack: Stack) -> dict[str, object]:
    outputs = stack.outputs()
    addresses = {
        "grpc": outputs["otlp_grpc_endpoint"],
        "http": outputs["otlp_http_endpoint"],
        "traces": outputs["traces_query_url"],
        "metrics": outputs["metrics_query_url"],
        "logs": outputs["logs_query_url"],
    }
    options = [text for name, url in addresses.items() for text in (f"--{name}", url)]
    command = [sys.executable, "-m", "ops", "smoke", "--json", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found: dict[str, object] = json.loads(ended.stdout)
    return found


def test_smoke_passes_over_grpc_and_http(report: dict[str, object]) -> None:
    assert report["passed"] is True
    arrivals = report["arrivals"]
    assert isinstance(arrivals, list)
    arrived = {(one["transport"], one["signal"], one["store"]) for one in arrivals if one["arrived"]}
    assert arrived == {
        (transport, signal, store)
        for transport in ("grpc", "http")
        for signal, store in [
            ("trace", "Jaeger"),
            ("log", "Loki"),
            ("metric", "Prometheus"),
            ("exemplar", "Prometheus"),
        ]
    }


def queries() -> Iterator[PanelQuery]:
    yield from sorted(set(iter_queries(CONFIGS)), key=str)


def test_every_shipped_query_is_taken_by_its_store(report: dict[str, object], site: Site) -> None:
    """Dashboards, their variables, links between signals, recording rules and alerts."""
    assert report["passed"] is True
    ports = {"jaeger": site.jaeger, "prometheus": site.prometheus, "loki": site.loki}
    addresses = {uid: f"http://{site.address}:{port}" for uid, port in ports.items()}
    answers = {query: execute(query, addresses) for query in queries()}
    assert {query.datasource_uid for query, count in answers.items() if count} == set(addresses)
