"""How a process that the Pulumi engine starts knows when to end."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

_WATCH_SECONDS = 2.0


def wait_for_the_end() -> None:
    """Return when the engine ends this process with a signal, or is gone itself."""
    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    engine = os.getppid()
    while not ended.wait(_WATCH_SECONDS) and os.getppid() == engine:
        pass
