"""Ports of this machine for stacks under test, so that a stack that runs beside them keeps its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator

FIRST = 21000
"""Below the ports that Linux gives to outgoing connections, so that none is taken before it is used."""


def free_ports(count: int) -> list[int]:
    """Find ports of the loopback interface on which nothing listens."""
    found = _free()
    return [next(found) for _ in range(count)]


def _free() -> Iterator[int]:
    for port in range(FIRST, 32000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port
