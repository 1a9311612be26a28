"""What topics.sh makes, and when it adds partitions where their number decides who gets what."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from components.documents import CONFIGS
from components.settings import Settings
from components.store_writers import topic_readers
from tests.support.variants_phase4 import OBJECT_VARIANTS

READERS = "otel-trace-processors"
HEADER = "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID"
TOOLS = {
    "kafka-topics.sh": """case "$*" in
  *--describe*) echo "Topic: otlp-traces PartitionCount: 2 ReplicationFactor: 1";;
  *--alter*) echo altered;;
  *--create*) echo "create $*";;
esac""",
    "kafka-configs.sh": "true",
    "kafka-consumer-groups.sh": """cat "$FAKES/groups" """,
    "kafka-get-offsets.sh": """case "$*" in
  *earliest*) cat "$FAKES/earliest";;
  *) cat "$FAKES/latest";;
esac
exit $(cat "$FAKES/status")""",
}


def run(
    folder: Path, *groups: str, earliest: str, latest: str, status: int = 0, replicas: str = "1"
) -> tuple[int, str]:
    """Ask for four partitions in place of two; give the exit status and what was said."""
    for name, body in TOOLS.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    files = {"groups": "\n".join([HEADER, *groups]), "earliest": earliest, "latest": latest}
    for name, text in {**files, "status": str(status), "copies.sh": "exit 0"}.items():
        (folder / name).write_text(f"{text}\n")
    script = (CONFIGS / "kafka" / "topics.sh").read_text().replace("/tmp/ready", f"{folder}/ready")  # noqa: S108
    (folder / "topics.sh").write_text(script)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "FAKES": str(folder),
        "BOOTSTRAP": "kafka-1:9092",
        "REPLICAS": replicas,
        "TOPICS": "otlp-traces 4 retention.ms=86400000",
        "KEYED": "otlp-traces",
        "READERS": READERS,
    }
    ended = subprocess.run(
        ["bash", str(folder / "topics.sh")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (folder / "ready").exists() is (ended.returncode == 0)
    return ended.returncode, ended.stdout + ended.stderr


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


def test_readers_of_the_traces_topic_are_those_of_the_stack() -> None:
    small = OBJECT_VARIANTS["phase4-small"]
    both = Settings.load({**small, "stores": {"phase3": "written"}, "sampling": {"mode": "none"}})
    assert topic_readers(both, "otlp-traces") == ["otel-trace-processors", "otel-trace-writers"]
