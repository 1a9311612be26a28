"""Dead letters and their records: found, shown, sent again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ops.errors import OpsError
from ops.kafka import replay as replaying
from ops.kafka.deadletters import parse_letters, read_dead_letters
from ops.kafka.records import Position, read_record
from ops.kafka.replay import replay
from ops.kafka.splitting import TooLargeError, split
from ops.kafka.telemetry import decode, hexdump
from tests.support.kafka_tools import EARLIEST, NOW, POISON, FakeTools, call, letter, stored


@pytest.mark.parametrize("value", [POISON, b"", b"\n", bytes(range(256))])
@pytest.mark.parametrize("key", [None, b"", b"36ca79"])
def test_a_record_is_read_byte_by_byte(value: bytes, key: bytes | None) -> None:
    position = Position.parse("otlp-logs/5/1")
    record = read_record(FakeTools(console_consumer=stored(value, key=key)), position)
    assert (record.value, record.key, record.time) == (value, key, NOW)


@pytest.mark.parametrize("output", [stored(b"x", offset=9), b""])
def test_another_record_than_the_wanted_one_is_refused(output: Callable[..., bytes] | bytes) -> None:
    fake = FakeTools(console_consumer=output, get_offsets=EARLIEST)
    with pytest.raises(OpsError, match="there is no record otlp-logs/5/1: no such partition"):
        read_record(fake, Position.parse("otlp-logs/5/1"))
    with pytest.raises(OpsError, match="retention has deleted all before 30"):
        read_record(fake, Position.parse("otlp-logs/0/2"))
    with pytest.raises(OpsError, match=r"there is no record otlp-logs/0/77$"):
        read_record(fake, Position.parse("otlp-logs/0/77"))


@pytest.mark.parametrize(
    "text", ["", "otlp-logs", "otlp-logs/5", "otlp-logs/5/-1", "a/b/c", "otlp-logs/5/1;id"]
)
def test_what_names_no_record_is_refused(text: str) -> None:
    with pytest.raises(OpsError, match="names no record"):
        Position.parse(text)


def test_dead_letters_have_record_time_and_reason() -> None:
    lines = [letter(1, ("exception.message", "too old")), "not json", letter(2), letter(3, ("error", "bad"))]
    letters, unreadable = parse_letters("\n".join(lines))
    assert unreadable == 1
    assert [(str(one.position), one.error) for one in letters] == [
        ("otlp-logs/5/1", "too old"),
        ("otlp-logs/5/2", ""),
        ("otlp-logs/5/3", "bad"),
    ]
    assert letters[0].time.isoformat() == "2026-11-23T21:55:23.288000+00:00"


def note(*attributes: object) -> str:
    """Write a line with one log record that has these attributes."""
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": list(attributes)}]}]}]})


@pytest.mark.parametrize(
    "line",
    [
        *("[]", "5", "null", '"text"', "{"),
        pytest.param("[" * 100_000, id="deep"),
        *('{"resourceLogs": 5}', '{"resourceLogs": [null]}', '{"resourceLogs": [{"scopeLogs": {}}]}'),
        note({"key": "partition", "value": 5}),
        letter(1).replace('"5"', '"five"'),
        letter(1).replace('{"intValue": "5"}', '{"stringValue": "five"}'),
        letter(1).replace(', "value": {"intValue": "5"}', ""),
        letter(1).replace("1795470923288884689", "yesterday"),
        note({"key": "dropped_spans", "value": {"stringValue": "some"}}),
    ],
)
def test_what_is_no_letter_is_left_out_and_counted(line: str) -> None:
    letters, unreadable = parse_letters("\n".join([letter(1), line, letter(2)]))
    assert [str(one.position) for one in letters] == ["otlp-logs/5/1", "otlp-logs/5/2"]
    assert unreadable == 1


@pytest.mark.parametrize("line", ["{}", '{"resourceLogs": null}', note({"key": "topic"}), note("topic")])
def test_logs_that_are_about_no_record_are_ignored(line: str) -> None:
    assert parse_letters(f"{line}\n") == ([], 0)


def test_a_letter_may_have_empty_attributes_and_any_text() -> None:
    line = letter(1, ("error", "two lines")).replace("two lines", "two\u2028lines")
    (found,), _ = parse_letters(line.replace('"attributes": [', '"attributes": [{"key": "message"}, '))
    assert (str(found.position), found.error) == ("otlp-logs/5/1", "two\u2028lines")


def test_how_much_was_left_out_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def consume(*arguments: str) -> bytes:
        if "--formatter-property" in arguments:
            return stored(one_log())(*arguments)
        return f"null\n{letter(1)}\n[]\n".encode()

    def ends(*arguments: str) -> bytes:
        if "--topic" not in arguments:
            return b"otlp-logs:5:0\n"
        return f"otlp-dead-letters:0:{0 if 'earliest' in arguments else 3}\n".encode()

    fake = FakeTools(get_offsets=ends, console_consumer=consume)
    for command in (("list",), ("replay", "--all")):
        assert call(monkeypatch, fake, "deadletters", *command, "--json") == 0
        captured = capfd.readouterr()
        assert len(json.loads(captured.out)) == 1
        assert "left out of otlp-dead-letters: 2 that cannot be read as dead letters" in captured.err


PARTLY = {
    "timeUnixNano": "1795470923288884689",
    "body": {"stringValue": "Partial success response"},
    "attributes": [
        {"key": "message", "value": {"stringValue": "the sample is too old"}},
        {"key": "dropped_data_points", "value": {"intValue": "44"}},
    ],
}


"""What a processor says of a request that Mimir took in part."""


def test_what_a_store_dropped_is_a_letter_without_a_record() -> None:
    line = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [PARTLY]}]}]})
    (found,), _ = parse_letters(line)
    assert (found.position, found.error, found.dropped) == (None, "the sample is too old", 44)
    assert found.as_dict()["record"] is None
    ends = b"otlp-dead-letters:0:1\n"
    fake = FakeTools(
        get_offsets=lambda *given: ends if "latest" in given else b"otlp-dead-letters:0:0\n",
        console_consumer=f"{line}\n".encode(),
    )
    assert [one.dropped for one in read_dead_letters(fake, 3).newest] == [44]


def test_only_the_last_letters_are_read() -> None:
    def ends(*arguments: str) -> bytes:
        return b"otlp-dead-letters:0:" + (b"2\n" if "earliest" in arguments else b"9\n")

    fake = FakeTools(get_offsets=ends, console_consumer=letter(7).encode())
    letters = read_dead_letters(fake, 3)
    assert (len(letters.newest), letters.total) == (1, 5), (
        "three records had one letter, four before are not read"
    )
    consumed = fake.calls[-1]
    assert consumed[consumed.index("--offset") + 1] == "6"
    assert consumed[consumed.index("--max-messages") + 1] == "3"
    assert read_dead_letters(FakeTools(get_offsets=b"otlp-dead-letters:0:0\n"), 3).newest == []


def many_letters(count: int) -> FakeTools:
    """A topic with this many letters about records of otlp-logs/5."""

    def ends(*arguments: str) -> bytes:
        if "--topic" not in arguments:
            return b"otlp-logs:5:0\n"
        return f"otlp-dead-letters:0:{0 if 'earliest' in arguments else count}\n".encode()

    def consume(*arguments: str) -> bytes:
        if "--formatter-property" in arguments:
            return stored(one_log())(*arguments)
        return "\n".join(letter(offset) for offset in range(count)[-int(arguments[-3]) :]).encode()

    return FakeTools(get_offsets=ends, console_consumer=consume)


def test_letters_that_are_not_looked_at_are_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, many_letters(101), "deadletters", "list", "--json") == 0
    captured = capfd.readouterr()
    assert len(json.loads(captured.out)) == 100
    assert captured.err == "100 of 101 or more; --last 101 for more\n"
    assert call(monkeypatch, many_letters(101), "deadletters", "list", "--last", "101") == 0
    assert "of 101" not in capfd.readouterr().err


def test_replay_of_all_leaves_none_out_unless_told_to(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, many_letters(101), "deadletters", "replay", "--all") == 2
    assert "takes 100 dead letters, but the topic has 101 or more" in capfd.readouterr().err
    for asked, sent in ((("--last", "2"), 2), (("--last", "101"), 101)):
        assert call(monkeypatch, many_letters(101), "deadletters", "replay", "--all", *asked, "--json") == 0
        assert len(json.loads(capfd.readouterr().out)) == sent
    assert call(monkeypatch, many_letters(3), "deadletters", "replay", "--all", "--json") == 0
    assert len(json.loads(capfd.readouterr().out)) == 3


STARTING = "Permanent error: rpc error: code = Unknown desc = Ingester is starting"
"""What Tempo 2 answers while it reads its own log, as the collector's exporter passes it on."""


def letters_of_two_reasons() -> FakeTools:
    """Two records that a starting store refused, and one that was too old."""

    def ends(*arguments: str) -> bytes:
        if "--topic" not in arguments:
            return b"otlp-logs:5:0\n"
        return f"otlp-dead-letters:0:{0 if 'earliest' in arguments else 3}\n".encode()

    def consume(*arguments: str) -> bytes:
        if "--formatter-property" in arguments:
            return stored(one_log())(*arguments)
        reasons = (STARTING, "timestamp too old", STARTING)
        return "\n".join(letter(n, ("exception.message", why)) for n, why in enumerate(reasons)).encode()

    return FakeTools(get_offsets=ends, console_consumer=consume)


def test_letters_are_chosen_by_their_reason(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def asked(*arguments: str) -> list[str]:
        assert call(monkeypatch, letters_of_two_reasons(), "deadletters", *arguments, "--json") == 0
        return [one["record"] for one in json.loads(capfd.readouterr().out)]

    refused = ["otlp-logs/5/0", "otlp-logs/5/2"]
    assert asked("list", "--reason", "Ingester is") == refused
    assert asked("replay", "--all", "--reason", "ingester is") == refused
    assert len(asked("replay", "--all")) == 3
    assert asked("list", "--reason", "no such") == []


def test_a_reason_chooses_from_all_and_says_when_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for command in (("list",), ("replay", "--all")):
        arguments = ("deadletters", *command, "--reason", "no such")
        assert call(monkeypatch, letters_of_two_reasons(), *arguments) == 0
        assert "whose error contains 'no such'" in capfd.readouterr().err
    named = ("deadletters", "replay", "otlp-logs/5/0", "--reason", "Ingester is")
    assert call(monkeypatch, letters_of_two_reasons(), *named) == 2
    assert "--reason chooses from --all" in capfd.readouterr().err


def one_log() -> bytes:
    """A request that collectors take."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "hello"
    return request.SerializeToString()


def test_ids_are_shown_in_hex_and_garbage_is_told() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"\xab" * 16, span_id=b"\x01" * 8)
    content = decode("traces", request.SerializeToString())
    assert content.items == 1
    assert "abababab" in json.dumps(content.decoded)
    assert decode("logs", POISON).problem.startswith("not OTLP logs")
    assert hexdump(b"poison \x01").endswith("|poison .|")


@contextmanager
def gateway(*statuses: int) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """Serve OTLP over HTTP, with these answers in turn."""
    answers, received = list(statuses), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((self.path, self.headers["content-type"], body))
            self.send_response(answers.pop(0))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        server.server_close()


def kept(value: bytes) -> FakeTools:
    return FakeTools(get_offsets=EARLIEST, console_consumer=stored(value))


POSITION = Position.parse("otlp-logs/0/44")


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


def test_dead_letters_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved = tmp_path / "record.bin"
    assert call(monkeypatch, kept(POISON), "deadletters", "inspect", str(POSITION), "--save", str(saved)) == 0
    assert saved.read_bytes() == POISON
    assert "not OTLP logs" in capfd.readouterr().out
    assert call(monkeypatch, kept(one_log()), "deadletters", "inspect", str(POSITION), "--json") == 0
    assert "hello" in capfd.readouterr().out
    assert call(monkeypatch, kept(one_log()), "deadletters", "replay", str(POSITION)) == 0
    assert "repeat with --yes" in capfd.readouterr().err
    assert call(monkeypatch, kept(POISON), "deadletters", "replay", str(POSITION), "--json") == 1
    assert json.loads(capfd.readouterr().out)[0]["outcome"] == "refused"
    with gateway(200) as (url, received):
        arguments = ("deadletters", "replay", str(POSITION), "--yes", "--http", url)
        assert call(monkeypatch, kept(one_log()), *arguments) == 0
    assert len(received) == 1
    assert call(monkeypatch, kept(POISON), "deadletters", "replay") == 2
    assert call(monkeypatch, FakeTools(get_offsets=b""), "deadletters", "list") == 0
