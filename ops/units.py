"""Numbers of bytes, as people write them."""

from __future__ import annotations


def amount(size: float) -> str:
    """Write a number of bytes in the largest unit in which it is at least one, up to GiB."""
    if size < 1024:
        return f"{size:.0f} B"
    for unit in ("KiB", "MiB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} GiB"
