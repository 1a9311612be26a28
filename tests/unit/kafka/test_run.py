"""A broker runs only while its disk has room to spare: the script that starts and stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from components.values.documents import CONFIGS
from tests.support.process_one import as_process_one
from tests.support.waiting import until

SCRIPT = CONFIGS / "kafka" / "brokers" / "run.sh"
BLOCK, MEBIBYTE, GIBIBYTE = 4096, 1 << 20, 1 << 30
DISK = 10 * GIBIBYTE
SPARE = DISK // 50 // MEBIBYTE * MEBIBYTE
"""What the disk has to spare; twice as much for a broker that has stopped to start again."""
LOOKS_SECONDS = 1
WAITS = "waits"
TELLS_FOLDER = 'echo "$KAFKA_LOG_DIRS"'
RUN = 'echo "runs as $$"; while :; do sleep 0.05; done'
BROKER = f"trap 'echo closed; exit 143' TERM; {RUN}"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """What ``stat -f`` says about the disk; the directory of the program that says it is the file's own."""
    says = tmp_path / "disk"
    program = tmp_path / "stat"
    program.write_text(f'#!/bin/sh\n[ "$*" = "-f -c %a %b %S {tmp_path}" ] && cat {says}\n')
    program.chmod(0o755)
    return says


def has(disk: Path, free: int, total: int = DISK) -> None:
    """Set how many bytes of the disk are free."""
    written = disk.with_suffix(".new")
    written.write_text(f"{free // BLOCK} {total // BLOCK} {BLOCK}\n")
    written.replace(disk)


def test_a_broker_that_is_told_to_stop_closes_first(disk: Path) -> None:
    has(disk, DISK)
    closes = f"trap 'sleep 1; echo closed; exit 143' TERM; {RUN}"
    with _started(disk, broker=closes, alone=True) as (process, output):
        until("the broker", lambda: "runs as" in output.read_text(), seconds=10)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        os.kill(int(children), signal.SIGTERM)
        assert process.wait(timeout=10) == 143
    assert "closed" in output.read_text()


@pytest.mark.parametrize("status", [0, 7])
def test_it_ends_as_the_broker_does(disk: Path, status: int) -> None:
    has(disk, DISK)
    with _started(disk, broker=f"exit {status}", alone=True) as (process, _):
        assert process.wait(timeout=10) == status


def test_a_broker_that_does_not_stop_is_killed_with_half_of_its_room_gone(disk: Path) -> None:
    """As the last one of three, which no controller allows to stop."""
    has(disk, SPARE)
    stubborn = f"trap 'echo asked' TERM; {RUN}"
    with _started(disk, broker=stubborn, alone=True) as (process, output):
        until("the broker", lambda: "runs as" in output.read_text(), seconds=10)
        has(disk, SPARE // 2)
        until("it to be asked", lambda: output.read_text().count("asked") > 2, seconds=10)
        assert "killed" not in output.read_text()
        has(disk, SPARE // 2 - MEBIBYTE)
        assert process.wait(timeout=10) == 137
    assert f"has {SPARE // 2 // MEBIBYTE - 1} MiB free: the broker is killed" in output.read_text()


def test_a_broker_stops_before_its_disk_is_full(disk: Path) -> None:
    has(disk, SPARE)
    with _started(disk) as (process, output):
        until("the broker", lambda: "runs as" in output.read_text(), seconds=10)
        has(disk, SPARE - MEBIBYTE)
        assert process.wait(timeout=10) == 143
    assert "closed" in output.read_text()
    assert f"has {SPARE // MEBIBYTE - 1} MiB free: the broker stops" in output.read_text()


def test_a_broker_whose_disk_has_too_little_waits_until_it_has_more(disk: Path) -> None:
    has(disk, SPARE - MEBIBYTE)
    with _started(disk) as (_, output):
        said = f"starts once it has {2 * SPARE // MEBIBYTE} MiB"
        until(said, lambda: said in output.read_text(), seconds=10)
        has(disk, 2 * SPARE - MEBIBYTE)
        time.sleep(2 * LOOKS_SECONDS)
        assert "runs as" not in output.read_text()
        assert (disk.parent / WAITS).exists()
        has(disk, 2 * SPARE)
        until("the broker", lambda: "runs as" in output.read_text(), seconds=10)
        assert not (disk.parent / WAITS).exists()
    assert output.read_text().count(said) == 1


def test_kafka_gets_a_folder_in_which_nothing_else_is(disk: Path) -> None:
    """An ext4 file system has ``lost+found`` at its root, which Kafka refuses in its log directory."""
    has(disk, 2 * SPARE)
    (disk.parent / "lost+found").mkdir()
    with _started(disk, broker=TELLS_FOLDER) as (process, output):
        process.wait(timeout=10)
    assert output.read_text() == f"{disk.parent}/log\n"
    assert (disk.parent / "log").is_dir()


def test_a_broker_finds_what_it_wrote_at_the_root_before(disk: Path) -> None:
    has(disk, 2 * SPARE)
    (disk.parent / "meta.properties").touch()
    (disk.parent / "lost+found").mkdir()
    with _started(disk, broker=TELLS_FOLDER) as (process, output):
        process.wait(timeout=10)
    assert output.read_text() == f"{disk.parent}\n"
    assert not (disk.parent / "lost+found").exists()


def test_a_wait_that_was_cut_short_is_forgotten_once_there_is_room(disk: Path) -> None:
    """Else its file would pass for a broker that waits, and no probe would ever see one that hangs."""
    (disk.parent / WAITS).touch()
    has(disk, 2 * SPARE)
    with _started(disk) as (_, output):
        until("the broker", lambda: "runs as" in output.read_text(), seconds=10)
        assert not (disk.parent / WAITS).exists()


def test_a_broker_that_is_still_being_started_stops_as_well(disk: Path) -> None:
    """It may end at once, since it has nothing open."""
    has(disk, SPARE)
    starts = f'echo "starts"; sleep {3 * LOOKS_SECONDS}; {BROKER}'
    with _started(disk, broker=starts, alone=True) as (process, output):
        until("the broker to start", lambda: "starts" in output.read_text(), seconds=10)
        has(disk, SPARE - MEBIBYTE)
        assert process.wait(timeout=20) == 143


def test_one_that_waits_can_be_stopped(disk: Path) -> None:
    has(disk, 0)
    with _started(disk) as (process, output):
        until("it to wait", lambda: "starts once" in output.read_text(), seconds=10)
        process.terminate()
        assert process.wait(timeout=10) == 143


@pytest.mark.parametrize(
    ("total", "spare"),
    [
        pytest.param(GIBIBYTE, 2 * 128, id="at least"),
        pytest.param(30 * GIBIBYTE, 2 * 614, id="2% of the disk"),
        pytest.param(1000 * GIBIBYTE, 2 * 1024, id="at most"),
    ],
)
def test_what_a_disk_has_to_spare(disk: Path, total: int, spare: int) -> None:
    has(disk, MEBIBYTE, total)
    with _started(disk) as (_, output):
        said = f"has 1 MiB free: the broker starts once it has {spare} MiB\n"
        until(said, lambda: said in output.read_text(), seconds=10)


def test_a_disk_that_cannot_be_measured_stops_nobody(disk: Path) -> None:
    with _started(disk) as (_, output):
        until("the broker", lambda: "runs as" in output.read_text(), seconds=10)


@contextmanager
def _started(
    disk: Path, *, broker: str = BROKER, alone: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run the script on a disk, if need be as process 1 of a namespace; give its process and its output."""
    folder = disk.parent
    program, output = folder / "broker", folder / "output"
    program.write_text(f"#!/bin/bash\n{broker}\n")
    program.chmod(0o755)
    environment: Mapping[str, str] = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    command = [
        *(as_process_one() if alone else ()),
        "bash",
        str(SCRIPT),
        str(folder),
        str(program),
        str(folder / WAITS),
    ]
    with output.open("wb") as into:
        process = subprocess.Popen(
            command, env=environment, stdout=into, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield process, output
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
