"""Numbers of bytes, as people and as Kubernetes write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FACTORS: Mapping[str, int] = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate("KMGTPE", start=1)},
}


def quantity(text: str) -> float | None:
    """Read an amount that Kubernetes writes, such as ``16Gi``, in bytes; None for any other text."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", text)
    if match is None or match[2] not in _FACTORS:
        return None
    return float(match[1]) * _FACTORS[match[2]]


def amount(size: float) -> str:
    """Write a number of bytes in the largest unit in which it is at least one, up to GiB."""
    if size < 1024:
        return f"{size:.0f} B"
    for unit in ("KiB", "MiB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} GiB"
