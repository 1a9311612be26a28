"""Starts and ends the cluster's processes, and recognises them by process id and start time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.lab import proc
from tests.lab.cluster import layout
from tests.lab.errors import LabError
from tests.lab.progress import tail

_POLL_SECONDS = 0.1
_STATE_FIELD = 0
_START_FIELD = 19
"""Positions in /proc/<pid>/stat after the command's name."""


def start(name: str, command: Sequence[str | Path]) -> None:
    """Start a process that outlives this program, unless it is running; its output goes to a log of its own.

    Raises:
        LabError: when its program cannot be started.
    """
    if is_running(name):
        return
    words = [str(word) for word in command]
    with layout.log(name).open("w") as out:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise LabError(f"{words[0]} could not be started: {error}") from error
    record = {"pid": process.pid, "started": _stat(process.pid)[_START_FIELD]}
    _record(name).write_text(json.dumps(record))


def is_running(name: str) -> bool:
    """True when the process that was started under this name still runs."""
    return pid(name) is not None


def pid(name: str) -> int | None:
    """The process id of a running process; None when it has ended or was never started."""
    try:
        record = json.loads(_record(name).read_text())
    except FileNotFoundError:
        return None
    known = int(record["pid"])
    return known if _alive(known, record["started"]) else None


def require_running(name: str) -> None:
    """Check that a process has not ended.

    Raises:
        LabError: with the last lines of its log.
    """
    if not is_running(name):
        log = layout.log(name)
        raise LabError(f"{name} has ended:\n{tail(log)}\nThe whole log: {log}")


def stop(name: str, grace_seconds: float = 10.0) -> None:
    """End a process and wait until it is gone; it is killed after the grace period."""
    known = pid(name)
    if known is not None:
        started = _stat(known)[_START_FIELD]
        os.kill(known, signal.SIGTERM)
        if not _gone(known, started, grace_seconds):
            kill([known])
            _gone(known, started, grace_seconds)
    _record(name).unlink(missing_ok=True)


def kill(pids: Sequence[int]) -> None:
    """Kill these processes; it is no error if some are already gone."""
    for known in pids:
        with suppress(ProcessLookupError):
            os.kill(known, signal.SIGKILL)


def with_argument(argument: str) -> list[int]:
    """The process ids of every process of this machine that was started with this argument."""
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdecimal() and argument in _arguments(folder)
    ]


def _record(name: str) -> Path:
    return layout.state("processes") / f"{name}.json"


def _arguments(folder: Path) -> list[str]:
    try:
        return (folder / "cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _stat(known: int) -> list[str]:
    try:
        return proc.stat(Path(f"/proc/{known}"))
    except OSError:
        return ["X"] * (_START_FIELD + 1)


def _alive(known: int, started: str) -> bool:
    fields = _stat(known)
    if fields[_STATE_FIELD] == "Z":
        _reap(known)
        return False
    return fields[_START_FIELD] == started


def _reap(known: int) -> None:
    try:
        os.waitpid(known, os.WNOHANG)
    except ChildProcessError:
        return


def _gone(known: int, started: str, seconds: float) -> bool:
    polls = Retrying(
        retry=retry_if_result(bool), wait=wait_fixed(_POLL_SECONDS), stop=stop_after_delay(seconds)
    )
    try:
        polls(_alive, known, started)
    except RetryError:
        return False
    return True
