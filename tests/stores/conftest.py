"""One S3 service for all stores, and each store's files as phase 4 renders them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab import cache
from tests.lab.errors import LabError
from tests.stores.making import StoreMaker
from tests.stores.replicas import BUCKETS, ObjectService, object_service
from tests.support.lab import missing
from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

SMALL = OBJECT_VARIANTS["phase4-small"]


def require_programs() -> None:
    """End all these tests where the lab has not built their programs, or where they may not name hosts."""
    if os.geteuid() != 0:
        missing("only root may give a process a host name of its own")
    try:
        for name in ("minio", "tempo", "mimir", "loki"):
            cache.binary(name)
    except LabError as error:
        missing(str(error))


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    require_programs()


def make_buckets(service: ObjectService) -> None:
    """Make the buckets that the files name."""
    for bucket in BUCKETS.values():
        service.make(bucket)


@pytest.fixture(scope="session")
def rendered() -> Tree:
    return tree(run_program(SMALL), SMALL)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectService]:
    with object_service(tmp_path_factory.mktemp("s3")) as found:
        make_buckets(found)
        yield found


@pytest.fixture(scope="session")
def stores(rendered: Tree, s3: ObjectService, tmp_path_factory: pytest.TempPathFactory) -> StoreMaker:
    return StoreMaker(objects=rendered, service=s3, folders=tmp_path_factory)
