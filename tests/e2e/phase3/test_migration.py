"""From phase 2 to phase 3: both run, clients move from one address to the other."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.e2e.conftest import Report
from tests.support import phase2
from tests.support.deployment import ClusterDeployment
from tests.support.docker_engine import Engine
from tests.support.numbered import Load, running
from tests.support.steady import demand_nothing_lost, flow

START_SECONDS = 300.0
"""Two stacks share the machine."""


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_clients_move_from_phase_two(
    docker_engine: Engine, deployed: ClusterDeployment, tmp_path: Path, report: Report
) -> None:
    deployed.become()
    with phase2.running("before", docker_engine, tmp_path / "stack") as stack:
        old, new = phase2.site_of(stack, docker_engine), deployed.site
        staying, moved = (Load(run=uuid.uuid4().hex[:8], target=site.target) for site in (old, new))
        with running(moved):
            with running(staying):
                flow(staying, seconds=START_SECONDS)
                flow(moved, seconds=START_SECONDS)
            flow(moved, seconds=START_SECONDS)
        report(staying, demand_nothing_lost(old, staying))
        report(moved, demand_nothing_lost(new, moved))
