"""Programs that run beside a command, such as those that open ports."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

END_SECONDS = 10.0
_POLL_SECONDS = 0.1
_SAID_BYTES = 65536


class Background:
    """One program, and what it has said since it was last started."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it.

        Raises:
            FileNotFoundError: it is not installed.
        """
        self._command = command
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = self._start()

    @property
    def has_ended(self) -> bool:
        """Has it ended by itself?"""
        return self._process.poll() is not None

    @property
    def said(self) -> str:
        """The first 64 KiB of its output."""
        return os.pread(self._said.fileno(), _SAID_BYTES, 0).decode(errors="replace")

    def wait(self, is_open: Callable[[], bool], seconds: float) -> bool:
        """Wait until it has opened what it is for, or has ended; tell whether it is open."""
        Retrying(
            retry=retry_if_result(lambda settled: not settled),
            wait=wait_fixed(_POLL_SECONDS),
            stop=stop_after_delay(seconds),
            retry_error_callback=lambda _: None,
        )(lambda: self.has_ended or is_open())
        return not self.has_ended and is_open()

    def restart(self) -> None:
        """Start it again after it has ended."""
        os.ftruncate(self._said.fileno(), 0)
        os.lseek(self._said.fileno(), 0, os.SEEK_SET)
        self._process = self._start()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=self._said, stderr=subprocess.STDOUT
        )
