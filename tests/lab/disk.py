"""Disk: what is free, what a folder uses, and whether the work ahead fits."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.lab.errors import LabError

KEEP_GO_CACHE_ABOVE_GB = 30.0
"""Deleting takes minutes and continues during the next build, which has these to grow in."""
RESERVE_GB = 4.0
_GB = 1e9


def free_gb(path: Path) -> float:
    """Free disk in GB (10^9 bytes) where ``path`` is or will be."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / _GB


def size_gb(path: Path) -> float:
    """What the files under ``path`` use, in GB."""
    total = 0
    for parent, _, files in os.walk(path):
        total += sum((Path(parent) / name).lstat().st_size for name in files)
    return total / _GB


def require(path: Path, needs_gb: dict[str, float]) -> None:
    """Check that the parts still missing fit, with a reserve for the machine.

    Raises:
        LabError: with the free and the needed disk, part by part.
    """
    needed = sum(needs_gb.values()) + RESERVE_GB
    free = free_gb(path)
    if needs_gb and free < needed:
        parts = "\n".join(f"  {name}: {need:.1f} GB" for name, need in needs_gb.items())
        raise LabError(
            f"{free:.1f} GB of disk are free at {path}, the lab needs {needed:.1f} GB:\n{parts}\n"
            f"  reserve: {RESERVE_GB:.1f} GB\n"
            "Free some disk, or point OTEL_STACK_LAB_CACHE at a larger one."
        )
