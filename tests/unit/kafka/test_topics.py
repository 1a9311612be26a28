"""What topics.sh makes, when it adds partitions where their number decides who gets what, and lowers limits.

Of check-topics.sh: that it waits for topics which somebody else makes, says which, and changes nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from components.composition.consumer_groups import topic_readers
from components.settings import Settings
from components.values.documents import CONFIGS
from tests.support.variants_phase4 import OBJECT_VARIANTS

READERS = "otel-trace-processors"
HEADER = "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID"
TOOLS = {
    "kafka-topics.sh": """case "$*" in
  *--describe*)
    echo "Topic: otlp-traces PartitionCount: 2 ReplicationFactor: 1 Configs: $(cat "$FAKES/limits")"
    echo "Topic: otlp-traces Partition: 0 Leader: 1 Replicas: 1 Isr: 1";;
  *--alter*) echo altered;;
  *--create*) echo "create $*";;
esac""",
    "kafka-configs.sh": """echo "configured $*"
sed 's/.*--add-config //' <<<"$*" >"$FAKES/limits" """,
    "kafka-consumer-groups.sh": """cat "$FAKES/groups" """,
    "kafka-get-offsets.sh": """case "$*" in
  *earliest*) cat "$FAKES/earliest";;
  *latest*) cat "$FAKES/latest";;
  *) cat "$FAKES/young";;
esac
exit $(cat "$FAKES/status")""",
    "sleep": """if [[ ! -e "$FAKES/later" ]]; then exit 1; fi
mv "$FAKES/later" "$FAKES/groups" """,
}
"""The last stands for five minutes in which the groups read, or for somebody who stops the script."""

LIMITS = "max.message.bytes=10,retention.ms=86400000,retention.bytes=10000"
AGE, SIZE = "max.message.bytes=11,retention.ms=3600000", "max.message.bytes=11,retention.bytes=4000"

CHECKED = ("otlp-traces", "otlp-logs", "otlp-dead-letters")
CHECKING_TOOLS = {
    **dict.fromkeys(TOOLS, 'echo "$0 $*" >>"$FAKES/asked"; exit 1'),
    "kafka-topics.sh": """echo "$*" >>"$FAKES/asked"
number=$(wc -l <"$FAKES/asked")
cat "$FAKES/answer-$number"
exit $(cat "$FAKES/status-$number")""",
    "sleep": """echo "$1" >>"$FAKES/slept"
if [[ -e "$FAKES/ready" ]]; then kill "$PPID"; fi""",
}
"""The second stands for a cluster that has one answer after another, the last for somebody who stops it."""


def run(
    folder: Path,
    *groups: str,
    earliest: str,
    latest: str,
    status: int = 0,
    replicas: str = "1",
    topic: str = "4 retention.ms=86400000",
    **files: str,
) -> tuple[int, str]:
    """Ask for four partitions in place of two, or other settings; give the exit status and what was said."""
    answers = {
        "groups": "\n".join([HEADER, *groups]),
        "earliest": earliest,
        "latest": latest,
        "limits": LIMITS,
    }
    for name, text in {**answers, **files, "status": str(status), "copies.sh": "exit 0"}.items():
        (folder / name).write_text(f"{text}\n")
    environment = {
        "REPLICAS": replicas,
        "TOPICS": f"otlp-traces {topic}",
        "KEYED": "otlp-traces",
        "READERS": READERS,
        "CONSUMERS": f"otlp-logs otel-log-processors\notlp-traces {READERS} otel-trace-copiers",
    }
    return execute(folder, "topics.sh", TOOLS, environment)


def execute(
    folder: Path, name: str, tools: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a script with tools that only pretend; ``ready`` in the folder is what it says at the end."""
    for tool, body in tools.items():
        (folder / tool).write_text(f"#!/bin/bash\n{body}\n")
        (folder / tool).chmod(0o755)
    script = (CONFIGS / "kafka" / name).read_text().replace("/tmp/ready", f"{folder}/ready")  # noqa: S108
    (folder / name).write_text(script)
    common = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "FAKES": str(folder),
        "BOOTSTRAP": "kafka-1:9092",
    }
    ended = subprocess.run(
        ["bash", str(folder / name)],
        env={**common, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (folder / "ready").exists() is (ended.returncode == 0)
    return ended.returncode, ended.stdout + ended.stderr


def check(folder: Path, *answers: tuple[str, int], **environment: str) -> tuple[list[str], list[str], str]:
    """Look for topics until the last answer, then stop; give the questions, the pauses and what was said."""
    for number, (text, status) in enumerate(answers, start=1):
        (folder / f"answer-{number}").write_text(f"{text}\n")
        (folder / f"status-{number}").write_text(str(status))
    wanted = {"TOPICS": "\n".join(CHECKED), **environment}
    status, said = execute(folder, "check-topics.sh", CHECKING_TOOLS, wanted)
    assert status == 0, said
    asked, slept = ((folder / name).read_text().splitlines() for name in ("asked", "slept"))
    return asked, slept, said


@pytest.mark.parametrize(
    ("groups", "unread"),
    [
        pytest.param([], 7, id="never joined"),
        pytest.param([f"{READERS} otlp-traces 0 10 10 0 - - -"], 5, id="a partition never read"),
        pytest.param([f"{READERS} otlp-traces {n} - 10 - - - -" for n in (0, 1)], 7, id="nothing committed"),
        pytest.param([f"{READERS} otlp-traces {n} 9 10 1 - - -" for n in (0, 1)], 2, id="behind"),
        pytest.param([f"{READERS} otlp-traces {n} 1 10 9 - - -" for n in (0, 1)], 7, id="some are gone"),
        pytest.param([f"other otlp-traces {n} 10 10 0 - - -" for n in (0, 1)], 7, id="only another has read"),
    ],
)
def test_unread_records_keep_the_number_of_partitions(tmp_path: Path, groups: list[str], unread: int) -> None:
    status, said = run(
        tmp_path,
        *groups,
        earliest="otlp-traces:0:8\notlp-traces:1:5",
        latest="otlp-traces:0:10\notlp-traces:1:10",
    )
    assert (status, "altered" in said) == (1, False)
    assert f"configured are 4, and {unread} of its records are unread" in said


@pytest.mark.parametrize(
    ("groups", "earliest"),
    [
        pytest.param([f"{READERS} otlp-traces 0 10 10 0 - - -"], 8, id="all is read"),
        pytest.param([], 10, id="nothing is there"),
        pytest.param(
            [f"{READERS} otlp-traces 0 10 10 0 - - -", "left-over otlp-traces 0 3 10 7 - - -"],
            3,
            id="a group that the stack no longer has is behind",
        ),
    ],
)
def test_partitions_are_added_when_all_is_read(tmp_path: Path, groups: list[str], earliest: int) -> None:
    status, said = run(tmp_path, *groups, earliest=f"otlp-traces:0:{earliest}", latest="otlp-traces:0:10")
    assert (status, "altered" in said) == (0, True), said


@pytest.mark.parametrize(("replicas", "asked"), [("3", True), ("", False)])
def test_copies_are_those_of_the_cluster_unless_they_are_said(
    tmp_path: Path, replicas: str, asked: bool
) -> None:
    """Kafka's tool takes no number that would stand for the cluster's own."""
    _, said = run(tmp_path, earliest="", latest="", replicas=replicas)
    (created,) = (line for line in said.splitlines() if line.startswith("create "))
    assert ("--replication-factor" in created) is asked
    assert (f"--replication-factor {replicas}" in created) is asked


def test_partitions_are_not_added_when_kafka_does_not_say_what_is_unread(tmp_path: Path) -> None:
    status, said = run(tmp_path, earliest="", latest="", status=1)
    assert (status != 0, "altered" in said) == (True, False)


def settings_given(said: str) -> list[str]:
    return [line.split("--add-config ")[1] for line in said.splitlines() if line.startswith("configured ")]


def read_to(readers: int, copiers: int) -> str:
    """Describe two groups of a partition whose records 100 to 200 are there."""
    groups = ((READERS, readers), ("otel-trace-copiers", copiers))
    return "\n".join(f"{group} otlp-traces 0 {offset} 200 9 - - -" for group, offset in groups)


def lower(
    folder: Path, settings: str, read: str, *, limits: str = LIMITS, status: int = 0, **files: str
) -> tuple[int, str]:
    """Ask for other settings; of the records 100 to 200 those from 180 were written within the hour."""
    return run(
        folder,
        read,
        earliest="otlp-traces:0:100",
        latest="otlp-traces:0:200",
        young="otlp-traces:0:180",
        status=status,
        topic=f"2 {settings}",
        limits=limits,
        **files,
    )


@pytest.mark.parametrize(
    ("settings", "read", "unread"),
    [
        pytest.param(AGE, (179, 200), "1", id="old, unread by the processors"),
        pytest.param(AGE, (200, 170), "10", id="old, unread by the copier"),
        pytest.param(SIZE, (150, 200), "30", id="above the size"),
        pytest.param(SIZE, (150, 160), "50", id="above the size, for two groups"),
    ],
)
def test_limits_are_not_lowered_below_what_is_unread(
    tmp_path: Path, settings: str, read: tuple[int, int], unread: str
) -> None:
    status, said = lower(tmp_path, settings, read_to(*read))
    assert (status, settings_given(said)) == (0, ["max.message.bytes=11"]), said
    assert f"{settings.split(',')[1]} would delete {unread} unread records" in said


def test_a_group_that_never_joined_keeps_the_limits(tmp_path: Path) -> None:
    status, said = lower(tmp_path, AGE, "")
    assert (status, settings_given(said)) == (0, ["max.message.bytes=11"])
    assert "would delete 160 unread records" in said


@pytest.mark.parametrize("limits", ["", "cleanup.policy=delete,retention.ms=-1,retention.bytes=-1"])
@pytest.mark.parametrize("settings", [AGE, SIZE])
def test_a_topic_without_limits_gets_them_when_all_is_read(
    tmp_path: Path, settings: str, limits: str
) -> None:
    folders = [tmp_path / name for name in ("read", "unread")]
    for folder, offset, expected in zip(folders, (200, 179), (settings, "max.message.bytes=11"), strict=True):
        folder.mkdir()
        status, said = lower(folder, settings, read_to(200, offset), limits=limits)
        assert (status, settings_given(said)) == (0, [expected]), said


@pytest.mark.parametrize(
    ("settings", "read"),
    [
        pytest.param(f"{AGE},retention.bytes=4000", (200, 200), id="all is read"),
        pytest.param(AGE, (180, 190), id="what is unread is young enough"),
        pytest.param(SIZE, (180, 190), id="what is unread is surely within the size"),
    ],
)
def test_limits_are_lowered_when_that_deletes_nothing_unread(
    tmp_path: Path, settings: str, read: tuple[int, int]
) -> None:
    status, said = lower(tmp_path, settings, read_to(*read))
    assert (status, settings_given(said)) == (0, [settings]), said


@pytest.mark.parametrize("settings", ["retention.ms=86400001,retention.bytes=20000", LIMITS])
def test_limits_are_always_raised_or_left(tmp_path: Path, settings: str) -> None:
    status, said = lower(tmp_path, settings, read_to(100, 100))
    assert (status, settings_given(said)) == (0, [settings]), said


def test_one_limit_is_raised_while_the_other_waits(tmp_path: Path) -> None:
    _, said = lower(tmp_path, "retention.ms=3600000,retention.bytes=20000", read_to(150, 200))
    assert settings_given(said) == ["retention.bytes=20000"]


def test_limits_are_lowered_later_once_all_is_read(tmp_path: Path) -> None:
    status, said = lower(tmp_path, AGE, read_to(150, 200), later=read_to(200, 200))
    assert (status, settings_given(said)) == (0, ["max.message.bytes=11", AGE]), said
    assert "topics are ready" in said


def test_limits_stay_when_kafka_does_not_say_what_is_unread(tmp_path: Path) -> None:
    status, said = lower(tmp_path, AGE, read_to(200, 200), status=1)
    assert (status, settings_given(said)) == (0, ["max.message.bytes=11"])
    assert "an unknown number of unread records" in said


def test_topics_that_somebody_else_makes_are_only_looked_for(tmp_path: Path) -> None:
    there = "\n".join(["__consumer_offsets", *CHECKED, "somebodys-topic"])
    asked, slept, said = check(tmp_path, (there, 0))
    assert asked == ["--bootstrap-server kafka-1:9092 --list"]
    assert len(slept) == 1, "it stays, for Kafka's tools to be run beside it, until it is stopped"
    assert said == "topics are there\n"


def test_topics_that_are_still_to_be_made_are_named_and_waited_for(tmp_path: Path) -> None:
    """A name that only begins or ends like a topic's is none."""
    answers = ["", "otlp-traces-sampled\nmy-otlp-logs\notlp-dead-letters", "\n".join(CHECKED)]
    asked, slept, said = check(tmp_path, *((answer, 0) for answer in answers), CLIENT="/client.properties")
    assert asked == ["--bootstrap-server kafka-1:9092 --command-config /client.properties --list"] * 3
    assert slept[:-1] == ["30", "30"]
    first, second, last = said.splitlines()[1:] + said.splitlines()[:1]
    assert "otlp-traces otlp-logs otlp-dead-letters;" in first
    assert "otlp-traces otlp-logs;" in second
    assert last == "topics are there"


def test_a_kafka_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    refusal = "Error while executing topic command : Timed out\n\tat somewhere"
    asked, slept, said = check(tmp_path, (refusal, 1), ("\n".join(CHECKED), 0))
    assert (len(asked), slept[:-1]) == (2, ["30"])
    assert "Error while executing topic command : Timed out\nthe topics cannot be checked" in said


def test_readers_of_the_traces_topic_are_those_of_the_stack() -> None:
    small = OBJECT_VARIANTS["phase4-small"]
    both = Settings.load({**small, "stores": {"phase3": "written"}, "sampling": {"mode": "none"}})
    assert topic_readers(both, "otlp-traces") == ["otel-trace-processors", "otel-trace-writers"]
