"""What the kernel says of a process."""

from __future__ import annotations

from pathlib import Path


def stat(process: Path) -> list[str]:
    """Give the fields that follow the name in a process's ``stat``, which may itself hold spaces.

    Args:
        process: its folder in /proc.

    Raises:
        OSError: there is no such process any more.
    """
    return (process / "stat").read_text().rpartition(")")[2].split()
