"""Samples that Mimir refuses for good, under steady load."""

from __future__ import annotations

import time
import uuid

from tests.support.kafka_seen import DEAD_LETTERS, dead_letters, end_offset
from tests.support.numbered import Load
from tests.support.numbered_requests import metrics_request
from tests.support.numbered_sending import running
from tests.support.object_site import ObjectSite
from tests.support.otlp import export
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

DAY = 86400.0
LETTER_SECONDS = 120.0


def test_samples_that_mimir_drops_become_dead_letters(site: ObjectSite, load: Load) -> None:
    """Mimir answers OK to the request and drops them: the collector only says so in its log."""
    first = end_offset(site, DEAD_LETTERS)
    old = Load(run=uuid.uuid4().hex[:8], target=site.target, started=time.time() - 8 * DAY)
    with running(load):
        flow(load)
        assert (
            export(site.target, "metrics", metrics_request(old, 0, [1, 2], at_seconds=old.started)[0]) == ""
        )

        def letters() -> list[str]:
            dropped = [one for one in dead_letters(site, first) if "dropped_data_points" in one]
            return [one for one in dropped if "too old" in one or "too-old" in one]

        until("a dead letter that says why", letters, seconds=LETTER_SECONDS, pause=2)
        flow(load)
    demand_nothing_lost(site, load)
