"""One S3 service for all stores, and each store's files as phase 4 renders them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import cache
from tests.lab.errors import LabError
from tests.stores.making import StoreMaker
from tests.stores.replicas import ObjectService, object_service
from tests.support.lab import missing
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

SMALL = OBJECT_VARIANTS["phase4-small"]
PURPOSES = {"tempo": ("traces",), "mimir": ("metrics", "ruler", "alertmanager"), "loki-cluster": ("logs",)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these out, saying why, where the lab has not built their programs or may not name hosts."""
    reason = ""
    try:
        for name in ("minio", "tempo", "mimir", "loki"):
            cache.binary(name)
    except LabError as error:
        reason = str(error)
    if os.geteuid() != 0:
        reason = "only root may give a process a host name of its own"
    for item in items:
        if reason and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


def make_buckets(service: ObjectService) -> None:
    """Make the buckets that the files name."""
    for purposes in PURPOSES.values():
        for purpose in purposes:
            service.make(f"acme-dev-{purpose}")


@pytest.fixture(scope="session")
def rendered() -> Tree:
    return tree(run_program(SMALL), SMALL)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectService]:
    try:
        cache.binary("minio")
    except LabError as error:
        missing(str(error))
    with object_service(tmp_path_factory.mktemp("s3")) as found:
        make_buckets(found)
        yield found


@pytest.fixture(scope="session")
def stores(rendered: Tree, s3: ObjectService, tmp_path_factory: pytest.TempPathFactory) -> StoreMaker:
    return StoreMaker(objects=rendered, service=s3, folders=tmp_path_factory)
