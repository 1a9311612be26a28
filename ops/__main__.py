"""``python -m ops``."""

from __future__ import annotations

import os
import signal
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
    """Let SIGTERM close what was opened for the command, such as ports, as an error would."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    end_in_order()
    forget_applications(os.environ)
    from ops.cli import main

    main()
