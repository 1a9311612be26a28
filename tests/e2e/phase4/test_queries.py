"""Every query that phase 4 ships, run against its stores: it has data, or there is a reason why not."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.e2e.phase4.conftest import Deployment
from tests.e2e.phase4.questions import await_answers
from tests.support.manifests import Tree
from tests.support.numbered import Load, trace_id
from tests.support.numbered_sending import running
from tests.support.object_queries import alert_series, object_queries, why_absent, why_empty
from tests.support.object_site import LOKI, MIMIR, TEMPO, TENANT, ObjectSite
from tests.support.queries import execute
from tests.support.steady import demand_nothing_lost, flow
from tests.support.waiting import until

KINDS = "deployments,statefulsets,configmaps"
FLOW_SECONDS = 300.0
SHOWN_SECONDS = 900.0
"""Blocks are listed every 5 minutes, and Loki's compactor first runs after 10."""
ERROR = 17


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_every_shipped_query_has_data_or_a_reason(deployed: Deployment, load: Load) -> None:
    site = deployed.site
    tree = Tree(objects=deployed.cluster.get(KINDS, f"--namespace={deployed.namespace}")["items"])
    queries = sorted(set(object_queries(tree)), key=str)
    assert {query.datasource_uid for query in queries} == {"tempo", "mimir", "loki"}
    addresses = {"tempo": site.url(TEMPO), "mimir": site.url(MIMIR), "loki": site.url(LOKI)}
    wanted = {query for query in queries if not why_empty(query)}
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        failed = _log_an_error(site.web_target, load)
        await_answers(site, load)
        for store in ("tempo", "mimir"):
            site.flush(store)
        values = {"__trace.traceId": failed, "__tags": 'service_name=~".+"'}

        def are_shown() -> bool:
            # No dashboard asks Tempo for traces, but one shows how often it is queried.
            site.get(TEMPO, "/api/search", q="{}", limit=1)
            asked = {query: execute(query, addresses, values=values, tenant=TENANT) for query in wanted}
            empty = sorted(str(query) for query, count in asked.items() if not count)
            assert not empty, "nothing for:\n" + "\n".join(empty)
            return True

        forgive = (AssertionError, httpx.HTTPError)
        until("data for every query", are_shown, seconds=SHOWN_SECONDS, pause=5, forgive=forgive)
    for query in set(queries) - wanted:
        execute(query, addresses, values=values, tenant=TENANT)
    demand_nothing_lost(site, load)


@pytest.mark.long
def test_every_alert_is_about_series_that_are_there_or_has_a_reason(site: ObjectSite) -> None:
    tree = Tree(objects=site.cluster.get(KINDS, f"--namespace={site.namespace}")["items"])
    wanted = {series for series in alert_series(object_queries(tree)) if not why_absent(series)}

    def are_there() -> bool:
        absent = sorted(series for series in wanted if not _count(site, series))
        assert not absent, f"no series: {', '.join(absent)}"
        return True

    until("series of every alert", are_there, seconds=SHOWN_SECONDS, pause=10, forgive=(AssertionError,))


@pytest.mark.long
def test_lokis_rulers_write_what_they_record_into_mimir(site: ObjectSite, load: Load) -> None:
    with running(load):
        flow(load, seconds=FLOW_SECONDS)
        count = f'sum(logs:records:rate1m{{service_name="{load.service}"}}) > 0'

        def is_recorded() -> bool:
            return bool(site.get(MIMIR, "/api/v1/query", query=count)["data"]["result"])

        until("records of the load, counted by Loki, in Mimir", is_recorded, seconds=FLOW_SECONDS, pause=5)


@pytest.mark.long
def test_a_healthy_stack_has_no_alert_but_the_watchdog(deployed: Deployment) -> None:
    def firing() -> set[str]:
        found = deployed.site.get(MIMIR, "/api/v1/query", query='ALERTS{alertstate="firing"}')
        return {one["metric"]["alertname"] for one in found["data"]["result"]}

    def is_calm() -> bool:
        assert firing() == {"Watchdog"}, firing()
        return True

    until("no alert but Watchdog", is_calm, seconds=FLOW_SECONDS, pause=5, forgive=(AssertionError,))


def _count(site: ObjectSite, series: str) -> list[object]:
    found: list[object] = site.get(MIMIR, "/api/v1/query", query=f"count({series})")["data"]["result"]
    return found


def _log_an_error(address: str, load: Load) -> str:
    """Send an error's log record that belongs to a trace; give the trace's id."""
    trace = trace_id(load.run, 0).hex()
    record = {
        "timeUnixNano": str(time.time_ns()),
        "severityNumber": ERROR,
        "severityText": "ERROR",
        "body": {"stringValue": "0 an error"},
        "traceId": trace,
    }
    attribute = {"key": "service.name", "value": {"stringValue": f"{load.service}-failing"}}
    logs = {"resource": {"attributes": [attribute]}, "scopeLogs": [{"logRecords": [record]}]}
    httpx.post(f"{address}/v1/logs", json={"resourceLogs": [logs]}, timeout=30).raise_for_status()
    return trace
