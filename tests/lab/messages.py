"""How the lab's commands end: errors with a message, interruptions with how to resume."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from tests.lab.errors import LabError


@contextmanager
def messages() -> Iterator[None]:
    """Print a ``LabError`` and end with status 1; treat SIGTERM as an exit that cleans up."""

    def end(signum: int, _frame: FrameType | None) -> None:
        sys.exit(128 + signum)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    except LabError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        typer.echo("interrupted; run the same command again to resume", err=True)
        raise typer.Exit(130) from error
