"""What tests of several files begin with."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.backup.create import Source
from tests.support.backups import DATA_VOLUMES
from tests.support.manifests import Tree
from tests.support.object_storage import AWS, StorageRun
from tests.support.phase4 import objects_of


@pytest.fixture
def _hangups_count() -> Iterator[None]:
    """Let a hangup end programs, also when these tests were started by ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def phase4_small() -> Tree:
    return objects_of("phase4-small")


@pytest.fixture
def phase4_changing() -> Tree:
    return objects_of("phase4-changing-over")


@pytest.fixture(scope="session")
def on_aws() -> StorageRun:
    return StorageRun(AWS)


@pytest.fixture
def backup_source(tmp_path: Path) -> Source:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config: {}\n")
    return Source(
        stack="dev",
        images={"loki": "grafana/loki:3.7.8"},
        state=b'{"version": 3}',
        volumes=DATA_VOLUMES,
        configuration={file.name: file},
    )
