"""Phase 1 on a real Docker Engine, with the real programs, once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import phase1
from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.next_version import next_version
from tests.support.stack import Stack


@pytest.fixture(scope="package")
def next_collector(docker_engine: Engine) -> Iterator[str]:
    """Another version of the collector: the same program in an image of its own."""
    with next_version(docker_engine, "collector") as reference:
        yield reference


@pytest.fixture(scope="package")
def stack(
    docker_engine: Engine, next_collector: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The stack; it may run the other version of the collector, whose image outlives it."""
    del next_collector
    with phase1.running("e2e", docker_engine, tmp_path_factory.mktemp("e2e") / "stack") as made:
        yield made


@pytest.fixture(scope="package")
def site(stack: Stack, docker_engine: Engine) -> Site:
    """The stack's addresses."""
    ingest, query = stack.config["ingest"], stack.config["query"]
    return Site(
        client=docker_engine.client,
        address=docker_engine.address,
        grpc=ingest["grpcPort"],
        loki=query["lokiPort"],
        prometheus=query["prometheusPort"],
        jaeger=query["jaegerPort"],
    )
