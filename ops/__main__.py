"""``python -m ops``."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import MutableMapping
from types import FrameType

OWN_VARIABLES = "OTEL_STACK_"
SDK_VARIABLES = "OTEL_"


def forget_applications(environ: MutableMapping[str, str]) -> None:
    """Remove the variables by which applications configure their OpenTelemetry SDK.

    The smoke check sends with the same SDK, which reads some of them as soon as it is imported: a propagator
    that is not installed here, or a switched-off SDK, would end every command.
    """
    for name in [name for name in environ if name.startswith(SDK_VARIABLES)]:
        if not name.startswith(OWN_VARIABLES):
            del environ[name]


def end_in_order() -> None:
    """Let SIGTERM, and a terminal that is gone, close what was opened for the command, as an error would.

    A hangup that is ignored already, as under nohup, stays ignored.
    """
    signal.signal(signal.SIGTERM, _leave)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    # One hangup seldom comes alone: shell, kernel and systemd each send one, and would cut short the cleanup.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _forget_lost_terminal()
    sys.exit(128 + number)


def _forget_lost_terminal() -> None:
    """Drop what is still said: a terminal that is gone is a device yet, but writing to it fails."""
    for stream in (1, 2):
        if stat.S_ISCHR(os.fstat(stream).st_mode) and not os.isatty(stream):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


if __name__ == "__main__":
    end_in_order()
    forget_applications(os.environ)
    from ops.cli import main

    main()
