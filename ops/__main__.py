"""``python -m ops``."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from ops.cli import main


def end_in_order() -> None:
    """Let SIGTERM close what was opened for the command, such as ports, as an error would."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    end_in_order()
    main()
