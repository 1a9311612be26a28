"""The machine is rebooted under load: the Docker Engine ends with everything in it, and is started again."""

from __future__ import annotations

import uuid

import pytest

from tests.conftest import Note
from tests.support.deliveries import await_acknowledged, await_everything
from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.reboot import reboot
from tests.support.stack import Stack
from tests.support.steady import AGAIN_SECONDS, longest_pause

SOME = 50


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", [pytest.param(False, id="stopped"), pytest.param(True, id="killed")])
def test_everything_comes_back(
    stack: Stack, site: Site, docker_engine: Engine, note: Note, kill: bool
) -> None:
    with running(Load(run=uuid.uuid4().hex[:8], target=site.target)) as load:
        await_acknowledged(load, SOME)
        rebooted = reboot(docker_engine, site, kill=kill)
        await_acknowledged(load, SOME, seconds=AGAIN_SECONDS)
    counts = {signal: load.acknowledged(signal) for signal in load.tallies}
    note({"seconds without an OK": round(longest_pause(load), 1), "acknowledged": counts, **rebooted.noted})
    await_everything(site, load)
    stack.preview("--refresh", "--expect-no-changes")
