"""Phase 1 as a stack of the tests' own: its configuration, and the images that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.images import CATALOGUE
from tests.support.docker_engine import Engine
from tests.support.ports import free_ports
from tests.support.stack import Stack

PROGRAMS = {
    "otel-collector": "collector",
    "jaeger": "jaeger",
    "prometheus": "prometheus",
    "loki": "loki",
    "grafana": "grafana",
}
"""Container -> program of the catalogue of images."""


def configuration(engine: Engine) -> dict[str, Any]:
    """The default settings, on the tests' engine, published where nothing else listens."""
    grpc, http, jaeger, prometheus, loki, grafana = free_ports(6)
    bound = {"bindAddress": engine.address}
    return {
        "docker": {"host": engine.host},
        "ingest": {**bound, "grpcPort": grpc, "httpPort": http},
        "query": {**bound, "jaegerPort": jaeger, "prometheusPort": prometheus, "lokiPort": loki},
        "grafana": {**bound, "port": grafana},
    }


@contextmanager
def running(name: str, engine: Engine, folder: Path) -> Iterator[Stack]:
    """Bring phase 1 up; remove everything afterwards, whatever happens."""
    engine.provide(CATALOGUE[program].reference for program in PROGRAMS.values())
    stack = Stack(name=name, folder=folder, config=configuration(engine))
    try:
        stack.up()
        yield stack
    finally:
        stack.destroy()
