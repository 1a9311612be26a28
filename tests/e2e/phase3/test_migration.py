"""From phase 2 to phase 3: both run, clients move from one address to the other, with and without a copy."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from docker.errors import NotFound

from components.collector_copier import COPIERS
from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support import phase2
from tests.support.deployment import ClusterDeployment
from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.kafka_seen import readers_of
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.relay import reached_from, relayed
from tests.support.steady import demand_nothing_lost, flow, lag_gone
from tests.support.stored import logs_of
from tests.support.waiting import until

START_SECONDS = 300.0
"""Two stacks share the machine."""

COPY_SECONDS = 600.0
"""In each partition one record after the other is copied, and each waits for the new stack's OK."""


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


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_new_stack_has_what_the_old_one_acknowledged(
    docker_engine: Engine, deployed: ClusterDeployment, tmp_path: Path, report: Report, note: Note
) -> None:
    """Also what was acknowledged before the copy began; what was sent to the new stack is in no other."""
    deployed.become()
    with (
        phase2.running("copied", docker_engine, tmp_path / "stack") as stack,
        relayed(reached_from(docker_engine), deployed.site.target) as relay,
    ):
        old, new = phase2.site_of(stack, docker_engine), deployed.site
        early, staying, moved = (
            Load(run=uuid.uuid4().hex[:8], target=site.target) for site in (old, old, new)
        )
        with running(early):
            flow(early, seconds=START_SECONDS)
        with running(staying):
            flow(staying, seconds=START_SECONDS)
            stack.up({"kafka": {"copyTo": {"endpoint": relay.door, "tls": False}}})
            flow(staying, seconds=START_SECONDS)
            with running(moved):
                flow(moved, seconds=START_SECONDS)
                flow(staying, seconds=START_SECONDS)
        _await_copied(old)
        for load in (early, staying):
            for name, site in (("old", old), ("new", new)):
                note({"load": load.run, "counted in": name})
                report(load, demand_nothing_lost(site, load))
        report(moved, demand_nothing_lost(new, moved))
        assert not logs_of(old, moved)
        stack.up({"kafka": {}})
        with pytest.raises(NotFound):
            old.container("otel-copier-1")


def _await_copied(site: Site) -> None:
    """Wait until the copier has begun, and until it and the processors have read everything."""

    def has_begun() -> bool:
        known = {group for groups in readers_of(site).values() for group in groups}
        return known >= set(COPIERS.values())

    until("the copier's consumer groups", has_begun, seconds=COPY_SECONDS, forgive=(AssertionError,))
    lag_gone(site, seconds=COPY_SECONDS)
