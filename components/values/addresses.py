"""Addresses of a host."""

from __future__ import annotations

LOOPBACK = "127.0.0.1"


EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
"""All addresses of a host."""


def overlap(one: str, other: str) -> bool:
    """Tell whether a port of one address of a host is also a port of the other."""
    return one == other or one in EVERYWHERE or other in EVERYWHERE
