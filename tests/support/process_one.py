"""Runs a program as the first process of a container would run."""

from __future__ import annotations

import os

from tests.support.lab import missing


def as_process_one() -> tuple[str, ...]:
    """Give what to put before a command, so that it is process 1 of a namespace and ends with it."""
    if os.geteuid():
        missing("only root may begin a namespace of processes")
    return ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
