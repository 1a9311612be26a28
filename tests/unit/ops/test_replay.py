"""Records sent again through the stack's own endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ops.commands import kafka
from ops.errors import OpsError
from ops.kafka import replay as replaying
from ops.kafka.records import Position
from ops.kafka.replay import replay
from ops.kafka.splitting import TooLargeError, split
from ops.outputs import StackOutputs
from tests.support.kafka_tools import (
    EARLIEST,
    POISON,
    POSITION,
    FakeTools,
    call,
    kept,
    one_log,
    stored,
)
from tests.support.played_gateway import gateway

LIMIT = 4 * 2**20


NOBODY = "http://127.0.0.1:1"


def test_replay_sends_the_records_own_bytes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "wait_exponential", lambda **_: lambda _state: 0)
    with gateway(503, 200) as (url, received):
        outcomes = replay(kept(one_log()), [POSITION, POSITION], url, limit=LIMIT, send=True)
    assert [(one.outcome, one.detail) for one in outcomes] == [
        ("sent", f"1 logs items, {len(one_log())} bytes")
    ]
    assert received == [("/v1/logs", "application/x-protobuf", one_log())] * 2, "the 503 was tried again"


def test_replay_without_send_sends_nothing() -> None:
    (outcome,) = replay(kept(one_log()), [POSITION], NOBODY, limit=LIMIT, send=False)
    assert (outcome.outcome, outcome.good) == ("would be sent", True)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (413, "15 bytes are too large there, though ingest.maxMessageSize is 4,194,304; make up, if "),
        (400, "Bad Request"),
    ],
)
def test_replay_tells_a_refusal(status: int, said: str) -> None:
    with gateway(status) as (url, _):
        (outcome,) = replay(kept(one_log()), [POSITION], url, limit=LIMIT, send=True)
    assert outcome.outcome == "refused"
    assert outcome.detail.startswith(f"HTTP {status}: {said}")


def logs(*sizes: int) -> ExportLogsServiceRequest:
    """A request with log records of these sizes in two scopes of two resources each."""
    request = ExportLogsServiceRequest()
    for service in ("cart", "shop"):
        resource = request.resource_logs.add(schema_url="1.37.0")
        resource.resource.attributes.add(key="service.name").value.string_value = service
        for scope in ("http", "sql"):
            scoped = resource.scope_logs.add()
            scoped.scope.name = scope
            for size in sizes:
                scoped.log_records.add().body.string_value = f"{service} {scope} ".ljust(size, "x")
    return request


def contents(requests: Iterable[bytes]) -> list[tuple[str, str, str]]:
    """Every log record of requests, with its resource and scope."""
    parsed = [ExportLogsServiceRequest.FromString(one) for one in requests]
    return [
        (resource.resource.attributes[0].value.string_value, scope.scope.name, record.body.string_value)
        for request in parsed
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


@pytest.mark.parametrize("limit", [450, 900, 1700])
def test_a_request_over_the_limit_is_split_by_its_records(limit: int) -> None:
    whole = logs(100, 300, 20, 20).SerializeToString()
    parts = split("logs", whole, limit)
    assert len(parts) > 1
    assert max(map(len, parts)) <= limit
    assert contents(parts) == contents([whole])
    assert all(
        one.schema_url for part in parts for one in ExportLogsServiceRequest.FromString(part).resource_logs
    )


def test_a_request_within_the_limit_keeps_its_bytes() -> None:
    whole = logs(100).SerializeToString() + b"\xf8\x3f\x00"
    assert split("logs", whole, len(whole)) == [whole]


def test_spans_and_the_points_of_a_single_metric_are_split() -> None:
    traces = ExportTraceServiceRequest()
    spans = traces.resource_spans.add().scope_spans.add().spans
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="requests")
    metric.sum.is_monotonic = True
    for number in range(7):
        spans.add(name=f"{number}".ljust(90))
        metric.sum.data_points.add(as_int=number).attributes.add(key="x" * 90)
    names, points = [], []
    for part in split("traces", traces.SerializeToString(), 250):
        (resource,) = ExportTraceServiceRequest.FromString(part).resource_spans
        names += [span.name.strip() for span in resource.scope_spans[0].spans]
    for part in split("metrics", metrics.SerializeToString(), 250):
        (measured,) = ExportMetricsServiceRequest.FromString(part).resource_metrics
        (one,) = measured.scope_metrics[0].metrics
        assert (one.name, one.sum.is_monotonic) == ("requests", True)
        points += [point.as_int for point in one.sum.data_points]
    assert names == [str(number) for number in range(7)]
    assert points == list(range(7))


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
def test_what_has_nothing_to_split_by_is_too_large(signal: str) -> None:
    request = ExportLogsServiceRequest()
    request.resource_logs.add(schema_url="x" * 100).scope_logs.add()
    with pytest.raises(TooLargeError, match=r"takes 106 bytes .* more than ingest.maxMessageSize \(50\)"):
        split(signal, request.SerializeToString(), 50)


LARGE = logs(1000, 1000).SerializeToString()
"""Eight log records, of a thousand bytes each."""


def test_a_record_over_the_limit_is_sent_in_several_requests() -> None:
    (outcome,) = replay(kept(LARGE), [POSITION], NOBODY, limit=5000, send=False)
    size = f"8 logs items, {len(LARGE):,} bytes in 2 requests"
    assert (outcome.outcome, outcome.detail) == ("would be sent", size)
    with gateway(200, 200) as (url, received):
        (outcome,) = replay(kept(LARGE), [POSITION], url, limit=5000, send=True)
    assert (outcome.outcome, outcome.detail) == ("sent", size)
    assert contents(body for _, _, body in received) == contents([LARGE])
    assert max(len(body) for _, _, body in received) <= 5000


@pytest.mark.parametrize("send", [True, False])
def test_a_single_item_over_the_limit_is_told_and_nothing_of_its_record_sent(send: bool) -> None:
    fake = kept(logs(10, 6000).SerializeToString())
    with gateway() as (url, received):
        outcomes = replay(fake, [POSITION, Position.parse("otlp-logs/0/45")], url, limit=5000, send=send)
    assert [one.outcome for one in outcomes] == ["refused", "refused"]
    assert outcomes[0].detail == (
        "one log record takes 6,057 bytes with its resource and scope, more than ingest.maxMessageSize "
        "(5,000); raise that, make up, then replay"
    )
    assert received == [], "nothing arrives in part"


def test_how_many_requests_were_accepted_before_a_failure_is_told() -> None:
    with gateway(200, 400) as (url, _):
        (refused,) = replay(kept(LARGE), [POSITION], url, limit=5000, send=True)
    assert refused.outcome == "refused"
    assert refused.detail == "HTTP 400: Bad Request; 1 of 2 requests were accepted before"
    with gateway(200) as (url, _):
        (failed,) = replay(kept(LARGE), [POSITION], url, limit=5000, send=True)
    assert failed.outcome == "failed"
    assert "it may have arrived; 1 of 2 requests were accepted before; make health" in failed.detail


def test_the_stacks_own_limit_is_the_one_that_counts(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    large = logs(700_000, 700_000).SerializeToString()
    assert call(monkeypatch, kept(large), "deadletters", "replay", str(POSITION), "--json") == 0
    (outcome,) = json.loads(capfd.readouterr().out)
    assert outcome["detail"] == f"8 logs items, {len(large):,} bytes in 2 requests"


def test_replay_refuses_what_is_gone_or_cannot_be_decoded() -> None:
    gone = Position.parse("otlp-logs/0/29")
    unknown = Position.parse("otlp-logs/7/1")
    outcomes = replay(kept(POISON), [gone, unknown, POSITION], "", limit=LIMIT, send=False)
    assert [one.outcome for one in outcomes] == ["gone", "gone", "refused"]
    assert outcomes[0].detail == "retention has deleted all before 30"
    with pytest.raises(OpsError, match="carries no telemetry"):
        replay(kept(POISON), [Position.parse("otlp-dead-letters/0/1")], "", limit=LIMIT, send=False)


def test_traces_that_tail_sampling_kept_are_replayed_and_shown_as_traces(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"\xab" * 16, name="kept")
    fake = FakeTools(
        get_offsets=b"otlp-traces-sampled:0:0\n", console_consumer=stored(request.SerializeToString())
    )
    position = Position.parse("otlp-traces-sampled/0/1")
    with gateway(200) as (url, received):
        (outcome,) = replay(fake, [position], url, limit=LIMIT, send=True)
    assert (received[0][0], outcome.outcome) == ("/v1/traces", "sent")
    assert outcome.detail.endswith("to be sampled once more")
    assert call(monkeypatch, fake, "deadletters", "inspect", str(position)) == 0
    assert "kept" in capfd.readouterr().out


def test_replay_to_nobody_is_told_in_words_and_tries_no_more() -> None:
    outcomes = replay(
        kept(one_log()), [POSITION, Position.parse("otlp-logs/0/45")], NOBODY, limit=LIMIT, send=True
    )
    assert [one.outcome for one in outcomes] == ["failed", "not tried"]
    assert outcomes[0].detail.startswith(f"{NOBODY}/v1/logs: ")
    assert "may have arrived" not in outcomes[0].detail


def test_what_was_sent_before_a_failure_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with gateway(200) as (url, _):
        arguments = ("deadletters", "replay", "otlp-logs/0/44", "otlp-logs/0/45", "otlp-logs/0/46", "--yes")
        assert call(monkeypatch, kept(one_log()), *arguments, "--http", url, "--json") == 1
    outcomes = json.loads(capfd.readouterr().out)
    assert [one["outcome"] for one in outcomes] == ["sent", "failed", "not tried"]
    assert "it may have arrived; make health" in outcomes[1]["detail"]


@pytest.mark.parametrize(("told", "status"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
@pytest.mark.parametrize(
    ("how", "outcome"),
    [(["--yes"], ["sent", "maybe sent", "not tried"]), ([], ["would be sent", *["not tried"] * 2])],
)
def test_what_was_sent_before_an_interruption_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    told: BaseException,
    status: int,
    how: list[str],
    outcome: list[str],
) -> None:
    def consume(*arguments: str) -> bytes:
        if "45" in arguments:
            raise told
        return stored(one_log())(*arguments)

    fake = FakeTools(get_offsets=EARLIEST, console_consumer=consume)
    records = [f"otlp-logs/0/{offset}" for offset in (44, 45, 46)]
    with gateway(200) as (url, _):
        arguments = ("deadletters", "replay", *records, *how, "--http", url, "--json")
        assert call(monkeypatch, fake, *arguments) == status
    assert [one["outcome"] for one in json.loads(capfd.readouterr().out)] == outcome


def test_records_go_to_their_own_stack_and_it_is_said_where(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMOKE_HTTP", NOBODY)
    with gateway(200) as (url, received):
        outputs = StackOutputs({"contract_version": "1", "otlp_http_endpoint": url})
        session = SimpleNamespace(reached=lambda: nullcontext(outputs))
        monkeypatch.setattr(kafka, "reading", lambda _stack: session)
        assert call(monkeypatch, kept(one_log()), "deadletters", "replay", str(POSITION), "--yes") == 0
    assert len(received) == 1
    assert capfd.readouterr().err == f"sending to {url}\n"


def test_a_record_that_never_was_does_not_keep_others_from_being_sent() -> None:
    def consume(*arguments: str) -> bytes:
        return b"" if "77" in arguments else stored(one_log())(*arguments)

    fake = FakeTools(get_offsets=EARLIEST, console_consumer=consume)
    with gateway(200) as (url, _):
        outcomes = replay(fake, [Position.parse("otlp-logs/0/77"), POSITION], url, limit=LIMIT, send=True)
    assert [one.outcome for one in outcomes] == ["gone", "sent"]


def test_kafka_that_stops_answering_ends_the_replay_and_not_its_report() -> None:
    def consume(*arguments: str) -> bytes:
        if "45" in arguments:
            raise OpsError("kafka-console-consumer: TimeoutException", "look at the brokers")
        return stored(one_log())(*arguments)

    fake = FakeTools(get_offsets=EARLIEST, console_consumer=consume)
    positions = [Position.parse(f"otlp-logs/0/{offset}") for offset in (44, 45, 46)]
    with gateway(200) as (url, _):
        outcomes = replay(fake, positions, url, limit=LIMIT, send=True)
    assert [one.outcome for one in outcomes] == ["sent", "failed", "not tried"]
    assert outcomes[1].detail == "kafka-console-consumer: TimeoutException; look at the brokers"
