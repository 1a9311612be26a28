"""Plays Kafka's tools, with outputs that those of Kafka 4.3.1 produced."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ops import cli
from ops.commands import kafka
from ops.kafka.records import Position

EARLIEST = (
    b"otlp-logs:0:30\notlp-logs:1:3\notlp-metrics:0:0\notlp-traces:0:0\notlp-traces-sampled:0:0\n"
    b"otlp-dead-letters:0:0\n"
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
    """Play the console consumer for one record; it returns another offset if told to."""

    def consume(*arguments: str) -> bytes:
        settings = dict(part.split("=", 1) for part in arguments if "=" in part)
        mark, null = settings["key.separator"].encode(), settings["null.literal"].encode()
        wanted = arguments[arguments.index("--offset") + 1] if offset is None else str(offset)
        written = int((NOW - timedelta(seconds=age)).timestamp() * 1000)
        head = [f"CreateTime:{written}".encode(), f"Offset:{wanted}".encode()]
        return mark.join([*head, null if key is None else key, value])

    return consume


NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def call(monkeypatch: pytest.MonkeyPatch, fake: FakeTools, *arguments: str) -> int:
    """Call the command line with Kafka played; give its exit status."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(cli, "keep_loopback_direct", lambda _environ: None)
    monkeypatch.setattr(kafka, "kafka_tools", lambda _stack: fake)
    monkeypatch.setattr(sys, "argv", ["ops", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def one_log() -> bytes:
    """A request that collectors take."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "hello"
    return request.SerializeToString()


def kept(value: bytes) -> FakeTools:
    """Kafka with this value in the record that is asked for."""
    return FakeTools(get_offsets=EARLIEST, console_consumer=stored(value))


POSITION = Position.parse("otlp-logs/0/44")
