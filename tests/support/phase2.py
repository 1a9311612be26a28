"""Phase 2 as a stack of the tests' own: its configuration, the images that it needs, its addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.ports import free_ports
from tests.support.program import run_program
from tests.support.stack import Stack

PHASE = {"phase": 2, "sizing": {"preset": "small"}}


@contextmanager
def running(name: str, engine: Engine, folder: Path) -> Iterator[Stack]:
    """Bring phase 2 up; remove everything afterwards, whatever happens."""
    engine.provide(image.name for image in run_program(PHASE).of("docker:index/remoteImage:RemoteImage"))
    stack = Stack(name=name, folder=folder, config=configuration(engine))
    try:
        stack.up()
        yield stack
    finally:
        stack.destroy()


def configuration(engine: Engine) -> dict[str, Any]:
    """The small preset, on the tests' engine, published where nothing else listens."""
    grpc, http, jaeger, prometheus, loki, haproxy, grafana = free_ports(7)
    return {
        **PHASE,
        "docker": {"host": engine.host},
        "ingest": {"bindAddress": engine.address, "grpcPort": grpc, "httpPort": http},
        "query": {
            "bindAddress": engine.address,
            "jaegerPort": jaeger,
            "prometheusPort": prometheus,
            "lokiPort": loki,
            "haproxyPort": haproxy,
        },
        "grafana": {"bindAddress": engine.address, "port": grafana},
    }


def site_of(stack: Stack, engine: Engine) -> Site:
    """Where a stack answers."""
    query, ingest = stack.config["query"], stack.config["ingest"]
    return Site(
        client=engine.client,
        address=engine.address,
        grpc=ingest["grpcPort"],
        http=ingest["httpPort"],
        loki=query["lokiPort"],
        prometheus=query["prometheusPort"],
        jaeger=query["jaegerPort"],
        haproxy=query["haproxyPort"],
    )
