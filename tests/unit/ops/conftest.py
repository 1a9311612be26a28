"""A cluster for tests of the operator's commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ops_cluster import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """Give one that knows nothing of a stack yet."""
    return Cluster(tmp_path)
