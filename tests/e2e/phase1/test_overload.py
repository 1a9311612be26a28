"""More of every signal than one collector can take: clients are slowed down, no program dies of it."""

from __future__ import annotations

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support.docker_site import STORES, Site
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.overload import all_survive, overloaded
from tests.support.steady import flow, note_pause
from tests.support.stored import await_all

FLOW_SECONDS = 900.0
"""A full queue has to be handed over first."""


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("stores", [(), STORES], ids=["stores there", "stores away"])
def test_overload(site: Site, load: Load, report: Report, note: Note, stores: tuple[str, ...]) -> None:
    """With the stores away, the collector keeps what it has accepted on its disk, and hands it over then."""
    with all_survive(site, but=stores):
        with running(load):
            flow(load)
            with overloaded(site, stores, note):
                pass
            flow(load, seconds=FLOW_SECONDS)
        note_pause(load, note)
        found = await_all(site, load, seconds=FLOW_SECONDS)
        report(load, found)
        assert {signal: one.missing for signal, one in found.items() if one.missing} == {}
