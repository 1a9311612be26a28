"""``python -m tests``: all tests, as two runs side by side.

Tests of the Docker Engine and of the cluster mostly wait, and only one run at a time may use those. The
others mostly compute: they take what processor time is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.conftest import ENGINES
from tests.support.durations import summary

PYTEST = (sys.executable, "-m", "pytest")
NICENESS = 10
"""A tenth of the weight of a process that is not nice."""

SECONDS_TO_CLEAN_UP = 120.0


def main() -> int:
    """Run both; once both have ended, show what the one beside printed, and how long groups of tests took.

    Returns:
        0 when all tests passed.
    """
    # Both runs clean up when interrupted, also those of a shell that lets background jobs ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    with temporary(".log") as log, temporary(".jsonl") as durations:
        with beside(log, durations.name) as others:
            _say(f"Tests that need neither engine nor cluster run beside these, into {log.name}")
            first = with_engines(durations.name)
            if first == pytest.ExitCode.INTERRUPTED:
                return first
            _say("Tests that need neither engine nor cluster:")
            second = others.wait()
        _say(Path(log.name).read_text())
        if took := summary(Path(durations.name), time.monotonic() - started):
            _say(took)
    return first or second


def temporary(suffix: str) -> IO[bytes]:
    """Make a file that is gone when it is closed."""
    return tempfile.NamedTemporaryFile(prefix="otel-stack-tests-", suffix=suffix)


def with_engines(durations: str) -> int:
    """Run the tests that use them. However it is stopped, the run removes what it has made."""
    runs: list[subprocess.Popen[bytes]] = []

    def interrupt(*_: object) -> None:
        for run in runs:
            run.send_signal(signal.SIGINT)

    handlers = {
        signal.SIGINT: lambda *_: None,  # the terminal has sent it to the run as well
        signal.SIGTERM: interrupt,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        runs.append(subprocess.Popen([*PYTEST, "-m", ENGINES, f"--group-durations={durations}"]))
        return runs[0].wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def beside(log: IO[bytes], durations: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the other tests meanwhile; end them if they are not waited for."""
    process = subprocess.Popen(
        [*PYTEST, "-m", f"not {ENGINES}", f"--group-durations={durations}"],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    _be_nice(process.pid)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(SECONDS_TO_CLEAN_UP)


def _be_nice(session: int) -> None:
    """Yield to other processes, and, where the kernel schedules sessions as groups, to other sessions."""
    os.setpriority(os.PRIO_PGRP, session, NICENESS)
    with contextlib.suppress(OSError):
        Path(f"/proc/{session}/autogroup").write_text(str(NICENESS))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
