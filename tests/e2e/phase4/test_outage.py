"""Object storage down under load: replicas keep what they cannot flush, and flush it afterwards."""

from __future__ import annotations

import time

import pytest

from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase4.conftest import Deployment
from tests.e2e.phase4.handing_over import await_more
from tests.support.minio_pods import BUCKETS
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.object_site import BUCKET_OF, STORES, ObjectSite
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

OUTAGE_SECONDS = 300.0
FLOW_SECONDS = 300.0
BACK_SECONDS = 300.0


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_object_storage_away_for_five_minutes(
    deployed: Deployment, load: Load, report: Report, note: Note
) -> None:
    site, minio = deployed.site, deployed.minio
    before = _restarts(site)
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        with minio.away():
            begin = time.monotonic()
            for store in STORES:
                site.demand_failed_flushes(store, seconds=OUTAGE_SECONDS)
            flow(load, seconds=FLOW_SECONDS)
            what = "the outage to have lasted"
            until(what, lambda: time.monotonic() - begin > OUTAGE_SECONDS, seconds=OUTAGE_SECONDS + 30)
        flow(load, seconds=FLOW_SECONDS)
    note({"seconds away": round(time.monotonic() - begin, 1)})
    assert _restarts(site) == before
    report(load, demand_nothing_lost(site, load))
    for store in STORES:
        kept = minio.objects.keys_of(BUCKETS[BUCKET_OF[store]])
        site.flush(store)
        await_more(minio.objects, store, kept, seconds=BACK_SECONDS)


def _restarts(site: ObjectSite) -> dict[str, int]:
    return {pod.name: pod.restarts for store in STORES for pod in site.pods(store)}
