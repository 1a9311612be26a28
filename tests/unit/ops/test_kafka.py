"""The operator's view of Kafka, on outputs that Kafka 4.3.1's tools gave."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from docker.errors import NotFound

from ops.commands import kafka
from ops.errors import OpsError
from ops.kafka import tools as kafka_tools
from ops.kafka.lag import read_lag, with_ages
from ops.kafka.offsets import read_offsets
from ops.kafka.tools import ContainerTools
from ops.kafka.topics import parse_topics, read_sizes
from ops.project import load_stack
from tests.support.kafka_tools import EARLIEST, NOW, FakeTools, call, stored

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


def test_lag_counts_from_the_oldest_record_when_nothing_was_committed() -> None:
    lags = read_lag(FakeTools(consumer_groups=GROUPS, get_offsets=EARLIEST), READERS).partitions
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
    lags = with_ages(fake, read_lag(fake, READERS), NOW).partitions
    assert [one.age_seconds for one in lags] == [90, 90, None, None]
    asked = [call[call.index("--offset") + 1] for call in fake.calls if call[0] == "kafka-console-consumer"]
    assert asked == ["40", "3"]


def ends(earliest: bytes, latest: bytes) -> Callable[..., bytes]:
    """Play the tool for the offsets at both ends."""
    return lambda *arguments: earliest if "earliest" in arguments else latest


def test_a_group_that_never_joined_is_behind_by_all_that_its_topic_holds() -> None:
    latest = b"otlp-logs:0:52\notlp-logs:1:3\notlp-logs:2:9\notlp-traces:0:0\n"
    fake = FakeTools(consumer_groups=b"\n", get_offsets=ends(EARLIEST + b"otlp-logs:2:4\n", latest))
    lags = read_lag(fake, READERS).partitions
    assert [(one.group, one.partition, one.committed, one.lag, one.stuck) for one in lags] == [
        ("otel-log-processors", 0, None, 22, True),
        ("otel-log-processors", 2, None, 5, True),
    ]


def test_a_partition_that_a_group_left_out_is_told() -> None:
    offsets = ends(EARLIEST + b"otlp-logs:2:4\n", b"otlp-logs:2:9\n")
    fake = FakeTools(consumer_groups=GROUPS, get_offsets=offsets)
    lags = read_lag(fake, READERS).partitions
    assert [(one.partition, one.lag) for one in lags if one.topic == "otlp-logs"] == [(0, 12), (1, 4), (2, 5)]


def test_what_retention_took_unread_is_lost_and_not_unread() -> None:
    earliest = EARLIEST.replace(b"otlp-logs:0:30", b"otlp-logs:0:47")
    fake = FakeTools(consumer_groups=GROUPS, get_offsets=earliest, console_consumer=stored(b"x", age=90))
    lost, new, *_ = lags = with_ages(fake, read_lag(fake, READERS), NOW).partitions
    assert (lost.lag, lost.deleted, lost.age_seconds) == (5, 7, 90)
    assert (new.lag, new.deleted) == (4, 0), "this one has not begun to read"
    assert [one.good for one in lags] == [False, False, True, True]
    asked = [call[call.index("--offset") + 1] for call in fake.calls if call[0] == "kafka-console-consumer"]
    assert asked == ["47", "3"]


def test_all_of_it_lost_is_told_with_a_reader_too() -> None:
    earliest = EARLIEST.replace(b"otlp-traces:0:0", b"otlp-traces:1:12")
    lost = read_lag(FakeTools(consumer_groups=GROUPS, get_offsets=earliest), READERS).partitions[-1]
    assert (lost.lag, lost.deleted, lost.stuck, lost.good) == (0, 3, False, False)


def test_an_end_that_a_broker_lost_is_no_group_that_has_read_all(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It came back without its newest records: the group had read up to 9, and the partition ends at 7."""
    reading = GROUPS.split(b"\n\n")[-1]
    shortened = reading.replace(b"9               9               0 ", b"9               7               -2")
    fake = FakeTools(consumer_groups=shortened, get_offsets=EARLIEST)
    lost = read_lag(fake, READERS).partitions[-1]
    assert (lost.committed, lost.end, lost.lag, lost.beyond) == (9, 7, 0, 2)
    assert (lost.stuck, lost.good, lost.first_unread) == (False, False, None)
    assert call(monkeypatch, fake, "lag") == 1
    assert "0, end lost: runbook KafkaBrokerUnreachable" in capfd.readouterr().out
    assert call(monkeypatch, fake, "lag", "--json") == 1
    assert [one["beyond"] for one in json.loads(capfd.readouterr().out)] == [0, 2]


def test_a_record_that_went_while_it_was_looked_at_has_no_age() -> None:
    fake = FakeTools(consumer_groups=GROUPS, get_offsets=EARLIEST, console_consumer=b"")
    assert {one.age_seconds for one in with_ages(fake, read_lag(fake, READERS), NOW).partitions} == {None}


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


def test_exit_status_tells_topics_that_are_not_there(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    line = "Topic: {0}\tTopicId: A\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: \n"
    line += "\tTopic: {0}\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n"
    there = [f"otlp-{name}" for name in ("traces", "metrics", "logs", "traces-sampled")]
    described = "".join(map(line.format, there)).encode()
    fake = FakeTools(topics=described, log_dirs=LOG_DIRS.encode())
    assert call(monkeypatch, fake, "topics") == 1
    said = " ".join(capfd.readouterr().err.split())
    assert "otlp-dead-letters is not there, or hidden from this user: a restart of kafka-topics" in said
    whole = FakeTools(
        topics=described + line.format("otlp-dead-letters").encode(), log_dirs=LOG_DIRS.encode()
    )
    assert call(monkeypatch, whole, "topics") == 0


@pytest.mark.parametrize(("name", "status"), [("orders", 0), ("otlp-logs", 1), ("__consumer_offsets", 1)])
def test_topics_of_others_are_shown_and_not_judged(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str, status: int
) -> None:
    line = "Topic: {0}\tTopicId: A\tPartitionCount: 1\tReplicationFactor: 2\tConfigs: \n"
    line += "\tTopic: {0}\tPartition: 0\tLeader: 1\tReplicas: 1,2\tIsr: {1}\tElr: \tLastKnownElr: \n"
    own = {f"otlp-{one}" for one in ("traces", "metrics", "logs", "traces-sampled", "dead-letters")}
    described = "".join(line.format(one, "1" if one == name else "1,2") for one in sorted({*own, name}))
    fake = FakeTools(topics=described.encode(), log_dirs=LOG_DIRS.encode())
    assert call(monkeypatch, fake, "topics") == status
    assert name in capfd.readouterr().out


def test_a_partition_without_a_leader_is_not_passed_over_in_silence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    reading = GROUPS.split(b"\n\n")[-1]
    lost = reading.replace(b"9               9               0  ", b"9               -               -  ")
    fake = FakeTools(consumer_groups=lost, get_offsets=EARLIEST)
    assert call(monkeypatch, fake, "lag") == 1
    assert "no leader" in capfd.readouterr().out
    assert call(monkeypatch, fake, "lag", "--json", "--age") == 1
    assert json.loads(capfd.readouterr().out)[-1]["end"] is None


def test_a_topic_that_kafka_says_nothing_about_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    without = EARLIEST.replace(b"otlp-metrics:0:0\n", b"")
    fake = FakeTools(consumer_groups=GROUPS.split(b"\n\n")[-1], get_offsets=without)
    assert call(monkeypatch, fake, "lag") == 1
    said = " ".join(capfd.readouterr().err.split())
    assert said.startswith("otlp-metrics is not there, hidden from this user, or without a leader: python -m")
    assert "otlp-logs" not in said


def test_groups_that_the_stack_no_longer_has_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    left = GROUPS.replace(b"otel-log-processors", b"otel-log-writers   ")
    assert call(monkeypatch, FakeTools(consumer_groups=left, get_offsets=EARLIEST), "lag") == 0
    assert "otel-trace-processors" in capfd.readouterr().out
