"""The machine is rebooted under load: the Docker Engine ends with everything in it, and is started again."""

from __future__ import annotations

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase2.test_kill import CALM
from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.reboot import reboot
from tests.support.stack import Stack
from tests.support.steady import AGAIN_SECONDS, demand_nothing_lost, flow, longest_pause, settled


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_everything_comes_back(
    site: Site, changeable: Stack, docker_engine: Engine, load: Load, report: Report, note: Note, kill: bool
) -> None:
    with running(load):
        for _ in range(CALM):
            flow(load)
        rebooted = reboot(docker_engine, site, kill=kill)
        for _ in range(CALM):
            flow(load, seconds=AGAIN_SECONDS)
        settled(site, 2)
    note({"seconds without an OK": round(longest_pause(load), 1), **rebooted.noted})
    report(load, demand_nothing_lost(site, load, unsure=[(rebooted.begin, rebooted.end)]))
    changeable.preview("--refresh", "--expect-no-changes")
