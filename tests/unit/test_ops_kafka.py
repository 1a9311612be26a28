"""The operator's view of Kafka, on outputs that Kafka 4.3.1's tools gave."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from docker.errors import NotFound
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ops import cli
from ops.commands import kafka
from ops.errors import OpsError
from ops.kafka import replay as replaying
from ops.kafka import tools as kafka_tools
from ops.kafka.deadletters import parse_letters, read_dead_letters
from ops.kafka.lag import read_lag, with_ages
from ops.kafka.offsets import read_offsets
from ops.kafka.records import Position, read_record
from ops.kafka.replay import replay
from ops.kafka.telemetry import decode, hexdump
from ops.kafka.tools import ContainerTools
from ops.kafka.topics import parse_topics, read_sizes
from ops.project import load_stack

GROUPS = b"""
Consumer group 'otel-log-processors' has no active members.

GROUP               TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID
otel-log-processors otlp-logs       0          40              52              12              -               -               -
otel-log-processors otlp-logs       1          -               7               -               -               -               -

GROUP                 TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID                                                  HOST            CLIENT-ID
otel-trace-processors otlp-traces     0          -               0               -               otel-processor-1-traces-ae13deac-75f0-4c7f-9826-6947629b7a9c /172.21.0.10    otel-processor
otel-trace-processors otlp-traces     1          9               9               0               otel-processor-2-traces-6bd7c563-98ee-4f1b-b62d-0745d671cff9 /172.21.0.14    otel-processor
"""  # noqa: E501 - as the tool wrote it
READERS = {"otel-log-processors": "otlp-logs", "otel-trace-processors": "otlp-traces"}
EARLIEST = b"otlp-logs:0:30\notlp-logs:1:3\notlp-traces:0:0\notlp-dead-letters:0:0\n"
DESCRIBED = (
    "Topic: otlp-logs\tTopicId: PimrW4VEShioe5ffFPCw0A\tPartitionCount: 3\tReplicationFactor: 3\t"
    "Configs: min.insync.replicas=2,retention.ms=86400000,retention.bytes=10737418240\n"
    "\tTopic: otlp-logs\tPartition: 0\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3\tElr: \tLastKnownElr: \n"
    "\tTopic: otlp-logs\tPartition: 1\tLeader: 1\tReplicas: 2,3,1\tIsr: 1,3\tElr: \tLastKnownElr: \n"
    "\tTopic: otlp-logs\tPartition: 2\tLeader: none\tReplicas: 3,1,2\tIsr: \tElr: 3\tLastKnownElr: \n"
    "Topic: __consumer_offsets\tTopicId: E\tPartitionCount: 1\tReplicationFactor: 1\t"
    "Configs: cleanup.policy=compact\n"
    "\tTopic: __consumer_offsets\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n"
)
LOG_DIRS = (
    "Querying brokers for log directories information\n"
    '{"brokers":[{"broker":1,"logDirs":[{"partitions":[{"partition":"otlp-dead-letters-0","size":5},'
    '{"partition":"otlp-logs-0","size":40},{"partition":"otlp-logs-11","size":2}]}]}]}\n'
)
POISON = b"poison \x00\x01\n\xff record\n"


def letter(offset: int, *attributes: tuple[str, str]) -> str:
    """Write a dead letter as the processors do."""
    given = [("topic", "otlp-logs"), *attributes]
    record = {
        "timeUnixNano": "1795470923288884689",
        "body": {"stringValue": "failed to consume message, skipping due to message_marking config"},
        "attributes": [
            *({"key": key, "value": {"stringValue": value}} for key, value in given),
            {"key": "partition", "value": {"intValue": "5"}},
            {"key": "offset", "value": {"intValue": str(offset)}},
        ],
    }
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


class FakeTools:
    """Answers as Kafka's tools do, and remembers what was asked."""

    advice = "look at the brokers"

    def __init__(self, **outputs: bytes | Callable[..., bytes]) -> None:
        self.outputs = outputs
        self.calls: list[tuple[str, ...]] = []

    def run(self, tool: str, *arguments: str) -> bytes:
        self.calls.append((tool, *arguments))
        output = self.outputs[tool.removeprefix("kafka-").replace("-", "_")]
        return output(*arguments) if callable(output) else output


def stored(
    value: bytes, *, key: bytes | None = None, offset: int | None = None, age: float = 0
) -> Callable[..., bytes]:
    """Play the console consumer for one record; it gives another offset when told to."""

    def consume(*arguments: str) -> bytes:
        settings = dict(part.split("=", 1) for part in arguments if "=" in part)
        mark, null = settings["key.separator"].encode(), settings["null.literal"].encode()
        wanted = arguments[arguments.index("--offset") + 1] if offset is None else str(offset)
        written = int((NOW - timedelta(seconds=age)).timestamp() * 1000)
        head = [f"CreateTime:{written}".encode(), f"Offset:{wanted}".encode()]
        return mark.join([*head, null if key is None else key, value])

    return consume


NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def test_lag_counts_from_the_oldest_record_when_nothing_was_committed() -> None:
    lags = read_lag(FakeTools(consumer_groups=GROUPS, get_offsets=EARLIEST), READERS)
    assert [(one.topic, one.partition, one.committed, one.lag, one.stuck) for one in lags] == [
        ("otlp-logs", 0, 40, 12, True),
        ("otlp-logs", 1, None, 4, True),
        ("otlp-traces", 0, None, 0, False),
        ("otlp-traces", 1, 9, 0, False),
    ]
    assert lags[3].reader == "otel-processor-2-traces-6bd7c563-98ee-4f1b-b62d-0745d671cff9"


def test_a_cluster_that_is_away_is_no_empty_answer() -> None:
    said = b"\nError: Executing consumer group command failed due to TimeoutException: findAllBrokers\n"
    with pytest.raises(OpsError, match=r"kafka-consumer-groups: Executing .* findAllBrokers"):
        read_lag(FakeTools(consumer_groups=said), READERS)


def test_age_is_that_of_the_first_unread_record() -> None:
    fake = FakeTools(consumer_groups=GROUPS, get_offsets=EARLIEST, console_consumer=stored(b"x", age=90))
    lags = with_ages(fake, read_lag(fake, READERS), NOW)
    assert [one.age_seconds for one in lags] == [90, 90, None, None]
    asked = [call[call.index("--offset") + 1] for call in fake.calls if call[0] == "kafka-console-consumer"]
    assert asked == ["40", "3"]


def ends(earliest: bytes, latest: bytes) -> Callable[..., bytes]:
    """Play the tool for the offsets at both ends."""
    return lambda *arguments: earliest if "earliest" in arguments else latest


def test_a_group_that_never_joined_is_behind_by_all_that_its_topic_holds() -> None:
    latest = b"otlp-logs:0:52\notlp-logs:1:3\notlp-logs:2:9\notlp-traces:0:0\n"
    fake = FakeTools(consumer_groups=b"\n", get_offsets=ends(EARLIEST + b"otlp-logs:2:4\n", latest))
    lags = read_lag(fake, READERS)
    assert [(one.group, one.partition, one.committed, one.lag, one.stuck) for one in lags] == [
        ("otel-log-processors", 0, None, 22, True),
        ("otel-log-processors", 2, None, 5, True),
    ]


def test_a_partition_that_a_group_left_out_is_told() -> None:
    offsets = ends(EARLIEST + b"otlp-logs:2:4\n", b"otlp-logs:2:9\n")
    fake = FakeTools(consumer_groups=GROUPS, get_offsets=offsets)
    lags = read_lag(fake, READERS)
    assert [(one.partition, one.lag) for one in lags if one.topic == "otlp-logs"] == [(0, 12), (1, 4), (2, 5)]


def test_what_retention_took_unread_is_lost_and_not_unread() -> None:
    earliest = EARLIEST.replace(b"otlp-logs:0:30", b"otlp-logs:0:47")
    fake = FakeTools(consumer_groups=GROUPS, get_offsets=earliest, console_consumer=stored(b"x", age=90))
    lost, new, *_ = lags = with_ages(fake, read_lag(fake, READERS), NOW)
    assert (lost.lag, lost.deleted, lost.age_seconds) == (5, 7, 90)
    assert (new.lag, new.deleted) == (4, 0), "this one has not begun to read"
    assert [one.good for one in lags] == [False, False, True, True]
    asked = [call[call.index("--offset") + 1] for call in fake.calls if call[0] == "kafka-console-consumer"]
    assert asked == ["47", "3"]


def test_all_of_it_lost_is_told_with_a_reader_too() -> None:
    earliest = EARLIEST.replace(b"otlp-traces:0:0", b"otlp-traces:1:12")
    lost = read_lag(FakeTools(consumer_groups=GROUPS, get_offsets=earliest), READERS)[-1]
    assert (lost.lag, lost.deleted, lost.stuck, lost.good) == (0, 3, False, False)


def test_a_record_that_went_while_it_was_looked_at_has_no_age() -> None:
    fake = FakeTools(consumer_groups=GROUPS, get_offsets=EARLIEST, console_consumer=b"")
    assert {one.age_seconds for one in with_ages(fake, read_lag(fake, READERS), NOW)} == {None}


def test_offsets_of_partitions_without_a_leader_are_left_out() -> None:
    assert read_offsets(b"a:0:12\nb-c:1:\nsome warning: x\n") == {("a", 0): 12}


def test_topics_tell_missing_copies_and_partitions_that_take_no_writes() -> None:
    offsets, logs = parse_topics(DESCRIBED, read_sizes(LOG_DIRS))
    assert (logs.partitions, logs.replicas, logs.in_sync) == (3, 3, 0)
    assert (logs.under_replicated, logs.unavailable, logs.whole) == (2, 1, False)
    assert (logs.retention_ms, logs.retention_bytes, logs.size) == (86_400_000, 10 * 2**30, 42)
    assert offsets.whole
    assert (offsets.retention_ms, offsets.retention_bytes, offsets.size) == (None, None, 0)


def test_sizes_that_a_cluster_does_not_tell_are_unknown() -> None:
    with pytest.raises(OpsError, match="no sizes"):
        read_sizes("Querying brokers\n")
    assert [topic.size for topic in parse_topics(DESCRIBED, None)] == [None, None]


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
    with pytest.raises(OpsError, match="retention has taken all before 30"):
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
    letters = parse_letters("\n".join(lines))
    assert [(str(one.position), one.error) for one in letters] == [
        ("otlp-logs/5/1", "too old"),
        ("otlp-logs/5/2", ""),
        ("otlp-logs/5/3", "bad"),
    ]
    assert letters[0].time.isoformat() == "2026-11-23T21:55:23.288000+00:00"


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
    (found,) = parse_letters(line)
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
    assert "takes 100 dead letters, the topic has 101 or more" in capfd.readouterr().err
    for asked, sent in ((("--last", "2"), 2), (("--last", "101"), 101)):
        assert call(monkeypatch, many_letters(101), "deadletters", "replay", "--all", *asked, "--json") == 0
        assert len(json.loads(capfd.readouterr().out)) == sent
    assert call(monkeypatch, many_letters(3), "deadletters", "replay", "--all", "--json") == 0
    assert len(json.loads(capfd.readouterr().out)) == 3


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
NOBODY = "http://127.0.0.1:1"


def test_replay_sends_the_records_own_bytes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "wait_exponential", lambda **_: lambda _state: 0)
    with gateway(503, 200) as (url, received):
        outcomes = replay(kept(one_log()), [POSITION, POSITION], url, send=True)
    assert [(one.outcome, one.detail) for one in outcomes] == [
        ("sent", f"1 logs items, {len(one_log())} bytes")
    ]
    assert received == [("/v1/logs", "application/x-protobuf", one_log())] * 2, "the 503 was tried again"


def test_replay_without_send_sends_nothing() -> None:
    (outcome,) = replay(kept(one_log()), [POSITION], NOBODY, send=False)
    assert (outcome.outcome, outcome.good) == ("would be sent", True)


@pytest.mark.parametrize(
    ("status", "said"), [(413, "larger than ingest.maxMessageSize"), (400, "Bad Request")]
)
def test_replay_tells_a_refusal(status: int, said: str) -> None:
    with gateway(status) as (url, _):
        (outcome,) = replay(kept(one_log()), [POSITION], url, send=True)
    assert (outcome.outcome, outcome.detail) == ("refused", f"HTTP {status}: {said}")


def test_replay_refuses_what_is_gone_or_cannot_be_decoded() -> None:
    gone = Position.parse("otlp-logs/0/29")
    unknown = Position.parse("otlp-logs/7/1")
    outcomes = replay(kept(POISON), [gone, unknown, POSITION], "", send=False)
    assert [one.outcome for one in outcomes] == ["gone", "gone", "refused"]
    assert outcomes[0].detail == "retention has taken all before 30"
    with pytest.raises(OpsError, match="carries no telemetry"):
        replay(kept(POISON), [Position.parse("otlp-dead-letters/0/1")], "", send=False)


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
        (outcome,) = replay(fake, [position], url, send=True)
    assert (received[0][0], outcome.outcome) == ("/v1/traces", "sent")
    assert outcome.detail.endswith("to be sampled once more")
    assert call(monkeypatch, fake, "deadletters", "inspect", str(position)) == 0
    assert "kept" in capfd.readouterr().out


def test_replay_to_nobody_is_told_in_words_and_tries_no_more() -> None:
    outcomes = replay(kept(one_log()), [POSITION, Position.parse("otlp-logs/0/45")], NOBODY, send=True)
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
        outcomes = replay(fake, [Position.parse("otlp-logs/0/77"), POSITION], url, send=True)
    assert [one.outcome for one in outcomes] == ["gone", "sent"]


def test_kafka_that_stops_answering_ends_the_replay_and_not_its_report() -> None:
    def consume(*arguments: str) -> bytes:
        if "45" in arguments:
            raise OpsError("kafka-console-consumer: TimeoutException", "look at the brokers")
        return stored(one_log())(*arguments)

    fake = FakeTools(get_offsets=EARLIEST, console_consumer=consume)
    positions = [Position.parse(f"otlp-logs/0/{offset}") for offset in (44, 45, 46)]
    with gateway(200) as (url, _):
        outcomes = replay(fake, positions, url, send=True)
    assert [one.outcome for one in outcomes] == ["sent", "failed", "not tried"]
    assert outcomes[1].detail == "kafka-console-consumer: TimeoutException; look at the brokers"


class FakeApi:
    """The part of the engine's API that runs commands."""

    def __init__(self, status: int, output: bytes, problems: bytes = b"", *, missing: bool = False) -> None:
        self.answer, self.status, self.missing = (output, problems), status, missing
        self.command: list[str] = []

    def exec_create(self, container: str, command: list[str]) -> dict[str, str]:
        if self.missing:
            raise NotFound(f"No such container: {container}")
        self.command = command
        return {"Id": "1"}

    def exec_start(self, _id: str, *, demux: bool) -> tuple[bytes, bytes]:
        assert demux
        return self.answer

    def exec_inspect(self, _id: str) -> dict[str, int]:
        return {"ExitCode": self.status}


def container(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> ContainerTools:
    class Client:
        def __init__(self) -> None:
            self.api = api

    class Engine:
        client = Client()

    monkeypatch.setattr(kafka_tools, "connect", lambda _host, **_: Engine())
    return ContainerTools(load_stack("staging"))


def test_tools_run_beside_the_brokers(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApi(0, b"\x00\xff")
    assert container(monkeypatch, api).run("kafka-topics", "--describe", "$(id)") == b"\x00\xff"
    assert api.command[-3:] == ["kafka-topics", "--describe", "$(id)"], "arguments reach no shell as text"


def test_a_tools_failure_is_its_telling_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = b"Error while executing topic command : timed out\n\tat org.apache.kafka.X(Y.java:1)\n"
    with pytest.raises(OpsError, match="kafka-topics: Error while executing topic command : timed out"):
        container(monkeypatch, FakeApi(1, b"", said)).run("kafka-topics")


def test_a_stack_without_kafka_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OpsError, match="no container kafka-topics"):
        container(monkeypatch, FakeApi(0, b"", missing=True)).run("kafka-topics")
    with pytest.raises(OpsError, match="phase 1, which has no Kafka"):
        kafka.kafka_tools("dev")


def call(monkeypatch: pytest.MonkeyPatch, fake: FakeTools, *arguments: str) -> int:
    """Call the command line with Kafka played; give its exit status."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(cli, "keep_loopback_direct", lambda _environ: None)
    monkeypatch.setattr(kafka, "kafka_tools", lambda _stack: fake)
    monkeypatch.setattr(sys, "argv", ["ops", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def test_exit_status_tells_unread_records_without_reader_and_missing_copies(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fake = FakeTools(
        consumer_groups=GROUPS, get_offsets=EARLIEST, topics=DESCRIBED.encode(), log_dirs=LOG_DIRS.encode()
    )
    assert call(monkeypatch, fake, "lag", "--json") == 1
    assert json.loads(capfd.readouterr().out)[0]["lag"] == 12
    assert call(monkeypatch, fake, "lag") == 1
    assert "nobody" in capfd.readouterr().out
    assert call(monkeypatch, fake, "topics") == 1
    assert "under-replicated" in capfd.readouterr().out
    assert call(monkeypatch, fake, "topics", "--json") == 1
    reading = GROUPS.split(b"\n\n")[-1]
    healthy = FakeTools(consumer_groups=reading, get_offsets=EARLIEST)
    assert call(monkeypatch, healthy, "lag") == 0
    late = FakeTools(consumer_groups=reading, get_offsets=b"otlp-traces:1:12\n")
    assert call(monkeypatch, late, "lag") == 1
    assert "0, 3 deleted unread" in capfd.readouterr().out
    joined_by_none = FakeTools(consumer_groups=b"", get_offsets=ends(EARLIEST, b"otlp-logs:1:7\n"))
    assert call(monkeypatch, joined_by_none, "lag") == 1


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


def test_groups_that_the_stack_no_longer_has_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    left = GROUPS.replace(b"otel-log-processors", b"otel-log-writers   ")
    assert call(monkeypatch, FakeTools(consumer_groups=left, get_offsets=EARLIEST), "lag") == 0
    assert "otel-trace-processors" in capfd.readouterr().out
