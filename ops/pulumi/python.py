"""The Python that runs the program."""

from __future__ import annotations

import platform
import sys

from ops.finding import Finding

MINIMUM_PYTHON = (3, 10)


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Is this Python new enough?"""
    found = ".".join(str(part) for part in version)
    if version < MINIMUM_PYTHON:
        return Finding(
            name="Python",
            status="fail",
            found=found,
            advice=f"install Python {'.'.join(map(str, MINIMUM_PYTHON))} or newer",
        )
    return Finding(name="Python", found=f"{found} ({platform.system()} {platform.machine()})")
