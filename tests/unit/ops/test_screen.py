"""What reaches the terminal of texts that senders of telemetry choose."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone

import pytest
from rich.console import Console

from ops import screen
from ops.errors import OpsError
from ops.health import report
from ops.health.model import Reading
from ops.kafka import show
from ops.kafka.deadletters import DeadLetter
from ops.kafka.records import Position, Record
from ops.kafka.telemetry import Content

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
HOSTILE = "\x1b]52;c;cm0=\x07\r\x1b[2K\x9b31m\x7f\u202e\u2028 [bold] end"
SHOWN = r"\x1b]52;c;cm0=\x07\r\x1b[2K\x9b31m\x7f\u202e\u2028 [bold] end"
CONTROLS = set("\x07\r\x1b\x9b\x7f\u202e\u2028")


def a_letter() -> None:
    screen.out.print(show.letters([DeadLetter(time=NOW, position=None, error=HOSTILE)]))


def a_key() -> None:
    record = Record(position=Position.parse("otlp-logs/0/1"), time=NOW, key=HOSTILE.encode(), value=b"")
    show.record(record, Content(decoded={}, items=0, problem=""))


def a_problem() -> None:
    record = Record(position=Position.parse("otlp-logs/0/1"), time=NOW, key=None, value=b"")
    show.record(record, Content(decoded=None, items=0, problem=HOSTILE))


def readings() -> None:
    report.show([Reading(area="scrapes", name=HOSTILE, status="degraded", found=HOSTILE, advice=HOSTILE)])


def words() -> None:
    screen.say(HOSTILE)
    screen.heading(HOSTILE)


def a_failure() -> None:
    screen.show_error(OpsError(HOSTILE, HOSTILE))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Make both consoles terminals without colours; gives what has reached them."""
    settings = {"force_terminal": True, "no_color": True, "highlight": False, "soft_wrap": True}
    made = Console(**settings, width=400)  # type: ignore[arg-type]
    monkeypatch.setattr(screen, "out", made)
    monkeypatch.setattr(report, "out", made)
    monkeypatch.setattr(screen, "err", made)
    return lambda: capsys.readouterr().out.replace("\x1b[1m", "").replace("\x1b[0m", "")


@pytest.mark.parametrize("shown", [a_letter, a_key, a_problem, readings, words, a_failure])
def test_control_characters_are_shown_as_escapes(
    shown: Callable[[], None], terminal: Callable[[], str]
) -> None:
    shown()
    said = terminal()
    assert not CONTROLS & set(said)
    assert SHOWN in said


def test_control_characters_inside_a_record_are_shown_as_escapes(terminal: Callable[[], str]) -> None:
    record = Record(position=Position.parse("otlp-logs/0/1"), time=NOW, key=None, value=HOSTILE.encode())
    show.record(record, Content(decoded={"body": f"{HOSTILE} é"}, items=1, problem=""))
    said = terminal()
    assert not CONTROLS & set(said)
    assert r"\u001b[2K\x9b31m\x7f\u202e\u2028 [bold] end é" in said, "JSON has escapes of its own"


def test_json_for_machines_stays_json(terminal: Callable[[], str]) -> None:
    screen.print_json({"error": HOSTILE})
    said = terminal()
    assert not CONTROLS & set(said)
    assert json.loads(said) == {"error": HOSTILE}


def test_lines_tabs_and_letters_of_any_language_stay() -> None:
    text = "a\tb\n日本 é ℃ שלום \U0001f600"
    assert screen.visible(text) == text
