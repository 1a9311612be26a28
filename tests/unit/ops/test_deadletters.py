"""Dead letters and their records: found, shown, sent again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ops.errors import OpsError
from ops.kafka.deadletters import parse_letters, read_dead_letters
from ops.kafka.records import Position, read_record
from ops.kafka.telemetry import decode, hexdump
from tests.support.kafka_tools import (
    EARLIEST,
    NOW,
    POISON,
    POSITION,
    FakeTools,
    call,
    kept,
    letter,
    one_log,
    stored,
)
from tests.support.played_gateway import gateway


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


def test_letters_about_topics_that_the_stack_does_not_have_are_left_to_others(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fake, consume = many_letters(2), many_letters(2).outputs["console_consumer"]
    assert callable(consume)
    fake.outputs["console_consumer"] = lambda *arguments: consume(*arguments).replace(
        b'"stringValue": "otlp-logs"', b'"stringValue": "audit-logs"', 1
    )
    assert call(monkeypatch, fake, "deadletters", "replay", "--all", "--json") == 0
    captured = capfd.readouterr()
    assert [one["record"] for one in json.loads(captured.out)] == ["otlp-logs/5/1"]
    said = "left out, of topics that are not the stack's: audit-logs/5/0"
    assert said in " ".join(captured.err.split())


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


def test_ids_are_shown_in_hex_and_garbage_is_told() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"\xab" * 16, span_id=b"\x01" * 8)
    content = decode("traces", request.SerializeToString())
    assert content.items == 1
    assert "abababab" in json.dumps(content.decoded)
    assert decode("logs", POISON).problem.startswith("not OTLP logs")
    assert hexdump(b"poison \x01").endswith("|poison .|")


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
