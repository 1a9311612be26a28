"""Proof on live data: what is emitted, what is asked, what counts as arrived."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.trace import StatusCode

from components.settings import Settings
from ops.errors import OpsError
from ops.outputs import StackOutputs
from ops.smoke import run as smoke_run
from ops.smoke import signals
from ops.smoke.report import endpoints
from ops.smoke.run import Endpoints, run
from ops.smoke.signals import BACKEND, FRONTEND, Application, Sent, send
from ops.smoke.stores import Stores, ask
from ops.smoke.traces import READERS
from ops.web import tenant_header
from tests.support.variants_phase4 import OBJECT_VARIANTS

TRACE_ID, PARENT = "a" * 32, "b" * 16
SENT = Sent(
    transport="grpc", smoke_id="id1", trace_id=TRACE_ID, parent_span_id=PARENT, started=1000.0, refused={}
)
NOWHERE = Endpoints(grpc="http://g", http="http://h", traces="http://t", metrics="http://m", logs="http://l")


def jaeger_trace(*services: str, parent: str = PARENT) -> dict[str, Any]:
    spans = [
        {"processID": f"p{index}", "references": [{"refType": "CHILD_OF", "spanID": parent}] if index else []}
        for index in range(len(services))
    ]
    processes = {f"p{index}": {"serviceName": service} for index, service in enumerate(services)}
    return {"data": [{"spans": spans, "processes": processes}]}


def loki_log(trace_id: str) -> dict[str, Any]:
    return {"data": {"result": [{"stream": {"trace_id": trace_id}, "values": []}]}}


def prometheus_series(value: str = "1") -> dict[str, Any]:
    return {"data": {"result": [{"metric": {"__name__": "otel_stack_smoke_x"}, "value": [0, value]}]}}


def exemplars(trace_id: str) -> dict[str, Any]:
    return {"data": [{"exemplars": [{"labels": {"trace_id": trace_id}}]}]}


def stores(answers: dict[str, Any], asked: list[httpx.Request] | None = None) -> Stores:
    """Stores that answer by the first path that fits; other paths are not found."""

    def handle(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        for path, answer in answers.items():
            if request.url.path.startswith(path):
                return httpx.Response(200, json=answer)
        return httpx.Response(404)

    client = httpx.Client(transport=httpx.MockTransport(handle))
    return Stores(client=client, traces="http://t", metrics="http://m", logs="http://l")


WHOLE = {
    "/api/traces/": jaeger_trace(FRONTEND, BACKEND),
    "/loki/": loki_log(TRACE_ID),
    "/api/v1/query_exemplars": exemplars(TRACE_ID),
    "/api/v1/query": prometheus_series(),
}


def test_application_emits_one_connected_trace_with_log_and_exemplar_inside() -> None:
    application = Application("id1", "grpc")
    context = application.handle_request()
    spans = application.spans.get_finished_spans()
    assert [span.resource.attributes["service.name"] for span in spans] == [FRONTEND, BACKEND]
    assert {span.context.trace_id for span in spans if span.context} == {context.trace_id}
    backend = spans[1]
    assert backend.parent is not None
    assert backend.parent.span_id == context.span_id
    assert all((span.attributes or {})["smoke_id"] == "id1" for span in spans)
    assert all((span.attributes or {})["sampling.priority"] == 1 for span in spans), "head sampler"
    assert any(span.status.status_code is StatusCode.ERROR for span in spans), "tail sampler"
    (record,) = application.records.get_finished_logs()
    assert record.log_record.trace_id == context.trace_id
    assert dict(record.log_record.attributes or {})["smoke_id"] == "id1"
    assert "sampling.priority" not in dict(record.log_record.attributes or {})
    metrics = application.samples.get_metrics_data()
    assert metrics is not None
    (point,) = metrics.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert isinstance(point, HistogramDataPoint)
    assert [exemplar.trace_id for exemplar in point.exemplars] == [context.trace_id]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://no-such-host.invalid:4317"])
def test_nothing_listening_is_found_out_at_once(endpoint: str) -> None:
    sent = send("id1", "grpc", endpoint)
    assert set(sent.refused) == {"trace", "log", "metric"}
    assert endpoint in sent.refused["trace"]


def test_refused_export_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_connection_problem", lambda _endpoint: "")
    monkeypatch.setattr(signals, "SEND_SECONDS", 0.1)
    sent = send("id1", "http", "http://127.0.0.1:1")
    assert set(sent.refused) == {"trace", "log", "metric"}
    assert all(sent.refused.values())


def test_whole_arrival() -> None:
    found = stores(WHOLE)
    for question in (found.trace, found.log, found.metric, found.exemplar):
        assert ask(question, SENT).arrived


def test_questions_are_about_this_run_only() -> None:
    asked: list[httpx.Request] = []
    found = stores(WHOLE, asked)
    for question in (found.log, found.metric, found.exemplar):
        ask(question, SENT)
    queries = [request.url.params["query"] for request in asked if "query" in request.url.params]
    assert len(queries) == 3
    assert all('smoke_id="id1"' in query and 'smoke_transport="grpc"' in query for query in queries)


@pytest.mark.parametrize(
    ("changed", "question", "detail"),
    [
        ({"/api/traces/": jaeger_trace(FRONTEND)}, Stores.trace, f"without {BACKEND}"),
        ({"/api/traces/": jaeger_trace(FRONTEND, BACKEND, parent="c" * 16)}, Stores.trace, "not connected"),
        ({"/api/traces/": {"data": []}}, Stores.trace, "without"),
        ({"/loki/": {"data": {"result": []}}}, Stores.log, "no record yet"),
        ({"/loki/": loki_log("f" * 32)}, Stores.log, "trace id is ffff"),
        ({"/loki/": {"data": {"result": [{"stream": {}}]}}}, Stores.log, "missing"),
        ({"/api/traces/": {"data": []}}, Stores.log, "log -> trace id -> trace"),
        ({"/api/v1/query": {"data": {"result": []}}}, Stores.metric, "no series yet"),
        ({"/api/v1/query_exemplars": {"data": []}}, Stores.exemplar, "no exemplar"),
        ({"/api/v1/query_exemplars": exemplars("f" * 32)}, Stores.exemplar, "no exemplar"),
        ({"/api/v1/query": {"status": "odd"}}, Stores.metric, "unexpected answer"),
    ],
)
def test_partial_arrival_says_what_is_missing(
    changed: dict[str, Any], question: Callable[[Stores, Sent], Any], detail: str
) -> None:
    found = stores({**WHOLE, **changed})
    answer = ask(lambda sent: question(found, sent), SENT)
    assert not answer.arrived
    assert detail in answer.detail


def test_store_that_is_away_is_an_answer() -> None:
    assert ask(stores({}).trace, SENT).detail == "HTTP 404"

    def refuse(_sent: Sent) -> Any:
        raise httpx.ConnectError("connection refused")

    assert ask(refuse, SENT).detail == "connection refused"


@pytest.fixture
def two_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        smoke_run,
        "send",
        lambda smoke_id, transport, _endpoint: replace(
            SENT, smoke_id=smoke_id, transport=transport, started=time.time()
        ),
    )
    monkeypatch.setattr(smoke_run, "POLL_SECONDS", 0.01)


def use_stores(monkeypatch: pytest.MonkeyPatch, found: Stores) -> None:
    monkeypatch.setattr(smoke_run, "Stores", lambda **_options: found)


@pytest.mark.usefixtures("two_sent")
def test_run_passes_when_everything_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stores(monkeypatch, stores(WHOLE))
    report = run(NOWHERE, timeout=5)
    assert report.passed
    assert len(report.arrivals) == 8
    assert {(one.transport, one.signal) for one in report.arrivals} == {
        (transport, signal)
        for transport in ("grpc", "http")
        for signal in ("trace", "log", "metric", "exemplar")
    }
    assert json.loads(json.dumps(report.as_dict()))["passed"] is True


@pytest.mark.usefixtures("two_sent")
def test_run_waits_for_what_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {**WHOLE, "/loki/": {"data": {"result": []}}}
    rounds: list[int] = []

    def sleep(_seconds: float) -> None:
        rounds.append(1)
        answers.update(WHOLE)

    monkeypatch.setattr("tenacity.nap.time.sleep", sleep)
    use_stores(monkeypatch, stores(answers))
    assert run(NOWHERE, timeout=60).passed
    assert len(rounds) == 1


@pytest.mark.usefixtures("two_sent")
def test_run_fails_at_its_deadline_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stores(monkeypatch, stores({**WHOLE, "/api/v1/query_exemplars": {"data": []}}))
    report = run(NOWHERE, timeout=0.05)
    assert not report.passed
    assert [one.signal for one in report.arrivals if not one.arrived] == ["exemplar", "exemplar"]


def test_what_was_not_accepted_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"trace": "UNAVAILABLE", "log": "UNAVAILABLE", "metric": "UNAVAILABLE"}
    monkeypatch.setattr(
        smoke_run, "send", lambda _id, transport, _at: replace(SENT, transport=transport, refused=refused)
    )
    report = run(NOWHERE, timeout=3600)
    assert not report.passed
    assert {one.detail for one in report.arrivals} == {"not accepted: UNAVAILABLE"}


OUTPUTS = {
    "contract_version": "1",
    "otlp_grpc_endpoint": "http://o:4317",
    "otlp_http_endpoint": "http://o:4318",
    "traces_query_url": "http://o:16686/",
    "metrics_query_url": "http://o:9090",
    "logs_query_url": "http://o:3100",
    "traces_datasource_uid": "jaeger",
    "metrics_datasource_uid": "prometheus",
}


def test_addresses_come_from_the_outputs_unless_given() -> None:
    chosen = endpoints({"logs": "http://mine:3100"}, Settings.load({}), lambda: StackOutputs(OUTPUTS))
    assert chosen == Endpoints(
        grpc="http://o:4317",
        http="http://o:4318",
        traces="http://o:16686",
        metrics="http://o:9090",
        logs="http://mine:3100",
    )


def test_phase_4_is_asked_as_its_stores_want_it() -> None:
    later = {
        "tenant": "shop",
        "traces_datasource_uid": "tempo",
        "metrics_datasource_uid": "mimir",
    }
    chosen = endpoints({}, Settings.load({}), lambda: StackOutputs({**OUTPUTS, **later}))
    assert (chosen.tenant, chosen.trace_store, chosen.metric_store) == ("shop", "tempo", "mimir")
    assert tenant_header(chosen.tenant) == {"X-Scope-OrgID": "shop"}
    assert tenant_header("") == {}


def tempo(*services: str) -> Stores:
    """Stores whose traces are Tempo's: spans of these services, each but the first under ``PARENT``."""
    trace = TracesData()
    for index, service in enumerate(services):
        resource = trace.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        parent = bytes.fromhex(PARENT) if index else b""
        resource.scope_spans.add().spans.add(parent_span_id=parent)

    def handle(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept"] == "application/protobuf"
        assert request.url.path == f"/api/traces/{TRACE_ID}"
        return httpx.Response(200, content=trace.SerializeToString())

    client = httpx.Client(transport=httpx.MockTransport(handle))
    return Stores(client=client, traces="http://t", metrics="", logs="", read_trace=READERS["tempo"])


def test_tempo_has_the_trace() -> None:
    assert ask(tempo(FRONTEND, BACKEND).trace, SENT).detail == f"trace {TRACE_ID}, 2 spans of 2 services"
    assert ask(tempo(FRONTEND).trace, SENT).detail == f"trace {TRACE_ID} without {BACKEND}"
    assert ask(tempo(BACKEND, FRONTEND).trace, SENT).detail == f"trace {TRACE_ID} is not connected"


@pytest.mark.parametrize(
    ("config", "stores"),
    [
        ({}, ("", "jaeger", "prometheus")),
        ({**OBJECT_VARIANTS["phase4-small"], "stores": {"tenant": "shop"}}, ("shop", "tempo", "mimir")),
    ],
)
def test_settings_say_what_is_asked_when_every_address_is_given(
    config: dict[str, Any], stores: tuple[str, str, str]
) -> None:
    """A stack that others apply from Git has no outputs."""

    def unread() -> StackOutputs:
        raise AssertionError("no outputs are needed")

    given = dict.fromkeys(("grpc", "http", "traces", "metrics", "logs"), "http://x")
    chosen = endpoints(given, Settings.load(config), unread)
    assert chosen.grpc == "http://x"
    assert (chosen.tenant, chosen.trace_store, chosen.metric_store) == stores


def test_missing_output_is_told_in_words() -> None:
    with pytest.raises(OpsError, match="exports no otlp_grpc_endpoint"):
        endpoints({}, Settings.load({}), lambda: StackOutputs({"contract_version": "1"}))
