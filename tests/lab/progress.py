"""Progress of long work: a line when a step starts and ends, and a heartbeat in between."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from tests.lab.errors import LabError

HEARTBEAT_SECONDS = 30.0
_TAIL_LINES = 25

console = Console(highlight=False, soft_wrap=True)
_begun = time.monotonic()


def say(text: str) -> None:
    """Print one line with the time since the program started."""
    console.print(f"[dim]{_clock(time.monotonic() - _begun)}[/dim]  {text}")


def say_busy() -> None:
    """Say why nothing happens while another process has the lab's lock."""
    say("another run is preparing the lab; waiting for it to end")


@contextmanager
def step(title: str, detail: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Announce a step, repeat every 30 s that it is still running, and say how long it took.

    ``detail`` is called at each heartbeat for something that changes (a size, the last log line).
    """
    started = time.monotonic()
    finished = threading.Event()
    say(f"{title} ...")

    def beat() -> None:
        while not finished.wait(HEARTBEAT_SECONDS):
            say(f"  still working on {title}: {_clock(time.monotonic() - started)} {detail()}".rstrip())

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        yield
    finally:
        finished.set()
        heart.join()
    say(f"{title}: done in {time.monotonic() - started:.1f} s")


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command with its output appended to ``log``.

    Raises:
        LabError: when it exits with a status other than 0; the message holds the log's last lines.
    """
    words = [str(word) for word in command]
    environment = {**os.environ, **(env or {})}
    with log.open("a") as out:
        out.write(f"$ {' '.join(words)}\n")
        out.flush()
        try:
            result = subprocess.run(
                words,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except FileNotFoundError as error:
            raise LabError(f"{words[0]} is not installed; the lab needs it for: {' '.join(words)}") from error
    if result.returncode != 0:
        raise LabError(
            f"exit status {result.returncode} of: {' '.join(words)}\n{tail(log)}\nThe whole log: {log}\n"
            "Run the same command again to resume: finished parts are kept."
        )


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log, each cut to 300 characters."""
    return "\n".join(f"  {line[:300]}" for line in log.read_text(errors="replace").splitlines()[-lines:])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:3d}:{int(seconds) % 60:02d}"
