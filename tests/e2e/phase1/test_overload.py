"""More of every signal than one collector can take: clients are slowed down, no program dies of it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.support.docker_site import Site
from tests.support.filling import fill_all
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.steady import flow, longest_pause
from tests.support.stored import await_all

STORES = ("loki", "prometheus", "jaeger")
OVERLOAD_SECONDS = 60.0
FLOW_SECONDS = 900.0
"""A full queue has to be handed over first."""


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("stores", [(), STORES], ids=["stores there", "stores away"])
def test_overload(site: Site, load: Load, report: Report, note: Note, stores: tuple[str, ...]) -> None:
    """With the stores away, the collector keeps what it has accepted on its disk, and hands it over then."""
    before = site.lives()
    with running(load):
        flow(load)
        with ExitStack() as away:
            for store in stores:
                away.enter_context(site.away(store))
            note({"beside it": fill_all(site.target, seconds=OVERLOAD_SECONDS)})
        flow(load, seconds=FLOW_SECONDS)
    note({"seconds without an OK": round(longest_pause(load), 1)})
    found = await_all(site, load, seconds=FLOW_SECONDS)
    report(load, found)
    assert {signal: one.missing for signal, one in found.items() if one.missing} == {}
    ended = {name for name, life in site.lives().items() if life != before[name] and name not in stores}
    assert not ended, f"died of it: {ended}"
