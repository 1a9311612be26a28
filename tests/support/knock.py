"""Tries connections from the network it is started in: ``[[address, port], ...]`` in, those that opened out.

Run it with ``nsenter --net=... python -m tests.support.knock``; it needs nothing but Python itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

SECONDS = 3.0
"""Refusals come at once; a packet that is only dropped takes this long."""


async def _opens(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), SECONDS)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _opened(ends: list[tuple[str, int]]) -> list[tuple[str, int]]:
    answers = await asyncio.gather(*(_opens(*end) for end in ends))
    return [end for end, opens in zip(ends, answers, strict=True) if opens]


if __name__ == "__main__":
    json.dump(asyncio.run(_opened(json.load(sys.stdin))), sys.stdout)
