"""What tests of several files begin with."""

from __future__ import annotations

import pytest

from tests.support.manifests import Tree
from tests.support.object_storage import AWS, StorageRun
from tests.support.phase4 import objects_of


@pytest.fixture
def phase4_small() -> Tree:
    return objects_of("phase4-small")


@pytest.fixture
def phase4_changing() -> Tree:
    return objects_of("phase4-changing-over")


@pytest.fixture(scope="session")
def on_aws() -> StorageRun:
    return StorageRun(AWS)
