"""Commands about the buffer: what is unread, the state of the topics, what was passed over."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from components.composition.consumer_groups import stack_groups
from components.kafka.topics import DEAD_LETTERS
from components.sections.phase_numbers import WITH_KAFKA
from ops.commands.options import AsJson, StackName, address
from ops.errors import OpsError
from ops.kafka import show
from ops.kafka.deadletters import read_dead_letters
from ops.kafka.lag import read_lag, with_ages
from ops.kafka.records import Position, read_record
from ops.kafka.replay import EndedError, Replayed
from ops.kafka.replay import replay as replay_records
from ops.kafka.telemetry import SIGNAL_OF, decode, signal_of
from ops.kafka.tools import Tools
from ops.kafka.topics import OFFSETS, read_topics
from ops.project import load_stack
from ops.screen import err, out, print_json, say
from ops.session import reading
from ops.sites import site_of

LETTERS = 100
"""Dead letters that are looked at unless another number is given."""

deadletters = typer.Typer(help="Records that the processors passed over.", no_args_is_help=True)

Last = Annotated[int | None, typer.Option(min=1, help=f"Look at this many of the newest; default {LETTERS}.")]
Reason = Annotated[str, typer.Option(help="Of these, only those whose error contains this text.")]


def lag(
    stack: StackName = "dev",
    age: Annotated[
        bool, typer.Option("--age", help="Also the oldest unread record's age; takes seconds per partition.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is still unread. Exit status 1: records have no reader, are unknown, or lost."""
    tools, groups = kafka_tools(stack), stack_groups(load_stack(stack).settings)
    with err.status("asking Kafka"):
        # Kafka remembers the groups of an earlier phase for two weeks; others may have groups of their own.
        found = read_lag(tools, groups)
        found = with_ages(tools, found, datetime.now(timezone.utc)) if age else found
    if as_json:
        print_json([one.as_dict() for one in found.partitions])
    else:
        out.print(show.lags(found.partitions, age=age))
    for name in found.silent:
        say(
            f"{name} is not there, hidden from this user, or without a leader: python -m ops topics "
            f"--stack {stack} says which"
        )
    if not found.good:
        raise typer.Exit(1)


def topics(stack: StackName = "dev", as_json: AsJson = False) -> None:
    """Show the topics. Exit status 1: one of the stack's is missing, lacks copies or accepts no writes."""
    tools, groups = kafka_tools(stack), stack_groups(load_stack(stack).settings)
    with err.status("asking Kafka"):
        found = read_topics(tools)
    own = {*groups.values(), DEAD_LETTERS}
    missing = own - {one.name for one in found}
    if as_json:
        print_json([one.as_dict() for one in found])
    else:
        out.print(show.topics(found))
    for name in sorted(missing):
        say(
            f"{name} is not there, or hidden from this user: a restart of kafka-topics makes it again; with "
            "kafka.createTopics: false somebody else has to"
        )
    if missing or not all(one.whole for one in found if one.name in {*own, OFFSETS}):
        raise typer.Exit(1)


@deadletters.command("list")
def list_letters(
    stack: StackName = "dev", last: Last = None, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Show which records were passed over, when and why."""
    tools = kafka_tools(stack)
    with err.status("reading the dead letters"):
        letters = read_dead_letters(tools, last or LETTERS)
    found = letters.because(reason)
    if as_json:
        print_json([letter.as_dict() for letter in found])
    elif found:
        out.print(show.letters(found))
    else:
        say(_none(reason))
    for note in filter(None, (letters.ignored, letters.cut)):
        say(note)


@deadletters.command("inspect")
def inspect_record(
    record: Annotated[str, typer.Argument(help="topic/partition/offset, as list shows it.")],
    stack: StackName = "dev",
    save: Annotated[
        Path | None, typer.Option(help="Write the record's own bytes to this file.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a record of a topic: its bytes and, when it is OTLP, what they say."""
    position = Position.parse(record)
    signal = signal_of(position.topic)
    found = read_record(kafka_tools(stack), position)
    content = decode(signal, found.value)
    if save is not None:
        _write(save, found.value)
    if as_json:
        print_json(
            {
                "record": str(position),
                "time": found.time.isoformat(),
                "key_base64": None if found.key is None else base64.b64encode(found.key).decode(),
                "value_base64": base64.b64encode(found.value).decode(),
                "decoded": content.decoded,
                "problem": content.problem,
            }
        )
    else:
        show.record(found, content)


@deadletters.command("replay")
def replay(
    records: Annotated[
        list[str] | None, typer.Argument(help="topic/partition/offset, as list shows them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every record that has a letter.")] = False,
    stack: StackName = "dev",
    last: Last = None,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send; without it, only show.")] = False,
    http: Annotated[str | None, address("http", "OTLP over HTTP")] = None,
    as_json: AsJson = False,
) -> None:
    """Send records again once the cause is fixed. Exit status 1: not all can be, or could be, sent."""
    if bool(records) == every:
        raise OpsError(
            "both records and --all are given" if every else "nothing to send",
            "name records, or give --all",
            status=2,
        )
    if reason and not every:
        raise OpsError("both records and --reason are given", "--reason chooses from --all", status=2)
    positions = [Position.parse(record) for record in records or []]
    tools, limit = kafka_tools(stack), load_stack(stack).settings.ingest.max_message_size.bytes
    if every:
        positions = _positions(tools, last, reason)
        if not positions:
            say(_none(reason, "letters about records"))
    with _otlp_endpoint(stack, http) if yes else nullcontext("") as endpoint:
        if yes:
            say(f"sending to {endpoint}")
        try:
            outcomes = replay_records(tools, positions, endpoint, limit=limit, send=yes)
        except EndedError as ended:
            _show_replayed(ended.outcomes, send=yes, as_json=as_json)
            raise ended.told from None
    _show_replayed(outcomes, send=yes, as_json=as_json)
    if not all(one.good for one in outcomes):
        raise typer.Exit(1)


def kafka_tools(stack: str) -> Tools:
    """Give the tools of a stack's Kafka.

    Raises:
        OpsError: there is no such stack, it has no Kafka, or Kafka cannot be reached.
    """
    loaded = load_stack(stack)
    if loaded.settings.phase < WITH_KAFKA:
        raise OpsError(
            f"the stack {stack} is phase {loaded.settings.phase}, which has no Kafka",
            f"name a stack of phase {WITH_KAFKA} or later with --stack",
            status=2,
        )
    return site_of(loaded).kafka()


def _none(reason: str, what: str = "letters") -> str:
    return f"no dead {what}" + (f" whose error contains {reason!r}" if reason else "")


def _positions(tools: Tools, last: int | None, reason: str) -> list[Position]:
    """Give the records that letters are about, and leave none out unless told to."""
    letters = read_dead_letters(tools, last or LETTERS)
    if letters.cut and last is None:
        raise OpsError(
            f"--all without --last takes {LETTERS} dead letters, but the topic has {letters.total:,} or more",
            f"--last {letters.total} takes these, a few seconds each; --last {LETTERS} the newest",
            status=2,
        )
    if letters.ignored:
        say(letters.ignored)
    found = [letter.position for letter in letters.because(reason) if letter.position is not None]
    foreign = [str(position) for position in found if position.topic not in SIGNAL_OF]
    if foreign:
        say(f"left out, of topics that are not the stack's: {', '.join(foreign)}")
    return [position for position in found if position.topic in SIGNAL_OF]


def _show_replayed(outcomes: list[Replayed], *, send: bool, as_json: bool) -> None:
    if as_json:
        print_json([one.as_dict() for one in outcomes])
        return
    out.print(show.replayed(outcomes))
    if not send and any(one.good for one in outcomes):
        say("nothing was sent; once the cause is fixed, repeat with --yes")


@contextmanager
def _otlp_endpoint(stack: str, given: str | None) -> Iterator[str]:
    """Give the address of OTLP over HTTP: as given, or the stack's own."""
    if given is not None:
        yield given
        return
    with reading(stack).reached() as outputs:
        yield outputs.text("otlp_http_endpoint")


def _write(path: Path, value: bytes) -> None:
    try:
        path.write_bytes(value)
    except OSError as error:
        raise OpsError(f"cannot write {path}: {error.strerror}", "name another file with --save") from error
    say(f"{len(value):,} bytes: {path}")
