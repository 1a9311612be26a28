"""The dumps of Grafana's database: scripts and probes, run by this machine's shell."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.manifests import Tree, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def rendered() -> Tree:
    settings = OBJECT_VARIANTS["phase4-small"]
    return tree(run_program(settings), settings)


@pytest.mark.parametrize(("number", "file"), [(0, "/tmp/last-dump"), (1, "/tmp/last-upload")])  # noqa: S108
def test_an_old_success_is_not_ready_and_not_restarted(
    rendered: Tree, tmp_path: Path, number: int, file: str
) -> None:
    container = next(one for one in rendered.programs() if one.name == "postgres-backup").containers[number]
    mark = tmp_path / "mark"

    def answers(probe: str) -> bool:
        command = [part.replace(file, str(mark)) for part in container[probe]["exec"]["command"]]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    assert (answers("readinessProbe"), answers("livenessProbe")) == (False, False)
    for hours, ready in ((0, True), (25, True), (27, False)):
        mark.touch()
        os.utime(mark, (time.time() - hours * HOUR,) * 2)
        assert (answers("readinessProbe"), answers("livenessProbe")) == (ready, True), hours
