"""A stack from nothing: telemetry is found in the new stores, objects are in the buckets."""

from __future__ import annotations

import re
import time

import httpx
from httpx import HTTPError, codes

from ops.smoke.run import Endpoints, run
from tests.conftest import Note
from tests.e2e.conftest import Report
from tests.e2e.phase4.conftest import NAMESPACE, Deployment
from tests.e2e.phase4.handing_over import await_more
from tests.e2e.phase4.questions import asked_of_grafana, signed_in
from tests.support.kubernetes_site import GRPC
from tests.support.minio_pods import BUCKETS
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.object_site import BUCKET_OF, LOKI, MIMIR, QUERIED, STORES, TEMPO, TENANT, ObjectSite
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

ARRIVAL_SECONDS = 180.0
BUCKET_SECONDS = 180.0
# The first request of a tenant makes one Alertmanager write its configuration to the bucket. The others
# refuse requests (406) until they have read it there, at most 15 s later (its poll_interval).
ALERTMANAGER_SECONDS = 60.0


def test_telemetry_is_found_in_the_stores(site: ObjectSite) -> None:
    endpoints = Endpoints(
        grpc=f"http://{site.services['otel-gateway']}:{GRPC}",
        http=site.web_target,
        traces=site.url(TEMPO),
        metrics=site.url(MIMIR),
        logs=site.url(LOKI),
        tenant=TENANT,
        trace_store="tempo",
        metric_store="mimir",
    )
    report = run(endpoints, ARRIVAL_SECONDS)
    assert report.passed, report.as_dict()
    found = {(one.signal, one.store) for one in report.arrivals}
    assert found == {("trace", "Tempo"), ("log", "Loki"), ("metric", "Mimir"), ("exemplar", "Mimir")}


def test_dots_on_tempos_durations_lead_to_traces_that_are_there(site: ObjectSite) -> None:
    """The dots of the spans that sampling kept; the smoke run covers those of the collectors' metrics."""

    def leads_to_a_trace() -> bool:
        now = int(time.time())
        period = {"start": now - 3600, "end": now + 60}
        query = "traces_spanmetrics_latency_bucket"
        series = site.get(MIMIR, "/api/v1/query_exemplars", query=query, **period)["data"]
        labels = [exemplar["labels"] for one in series for exemplar in one["exemplars"]]
        found = [site.get(TEMPO, f"/api/traces/{label['traceID']}") for label in labels]
        return any(trace["batches"] for trace in found)

    until("an exemplar to lead to its trace", leads_to_a_trace, seconds=ARRIVAL_SECONDS, forgive=(HTTPError,))


def test_who_may_ask_grafana_may_not_stop_a_store(site: ObjectSite) -> None:
    cookies, forbidden = signed_in(site), codes.FORBIDDEN

    def alertmanager_answers() -> bool:
        return asked_of_grafana(site, cookies, "mimir-alertmanager", "/api/v2/status") == codes.OK

    assert asked_of_grafana(site, cookies, "loki", "/loki/api/v1/labels") == codes.OK
    assert asked_of_grafana(site, cookies, "loki", "/ingester/shutdown") == forbidden
    assert asked_of_grafana(site, cookies, "tempo", "/shutdown") == forbidden
    until("the Alertmanager of Mimir to answer", alertmanager_answers, seconds=ALERTMANAGER_SECONDS)
    assert (
        httpx.post(f"http://{site.services[QUERIED]}:{MIMIR}/compactor/delete_tenant").status_code
        == forbidden
    )


def test_a_second_preview_finds_nothing_to_do(deployed: Deployment) -> None:
    deployed.stack.preview("--expect-no-changes")


def test_what_is_acknowledged_lands_in_the_buckets(
    deployed: Deployment, load: Load, report: Report, note: Note
) -> None:
    site, objects = deployed.site, deployed.minio.objects
    before = {store: objects.keys_of(BUCKETS[BUCKET_OF[store]]) for store in STORES}
    with running(load):
        flow(load, seconds=ARRIVAL_SECONDS)
    report(load, demand_nothing_lost(site, load))
    begin = time.monotonic()
    for store in STORES:
        site.flush(store)
        await_more(objects, store, before[store], seconds=BUCKET_SECONDS)
    note({"seconds until all buckets have objects": round(time.monotonic() - begin, 1)})


def test_a_dump_of_grafanas_database_is_in_the_bucket(deployed: Deployment) -> None:
    """``up`` ends when the first one has arrived."""
    objects, bucket = deployed.minio.objects, BUCKETS["backups"]
    made = deployed.cluster.get("statefulset", "postgres", f"--namespace={NAMESPACE}")
    since = re.sub("[-:]", "", made["metadata"]["creationTimestamp"])
    newest = max(objects.keys_of(bucket))
    assert newest >= f"postgres/grafana-{since}.dump"
    assert objects.read(bucket, newest).startswith(b"PGDMP")
