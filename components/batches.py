"""How large the batches of a collector's exporter may get."""

from __future__ import annotations

from components.quantities import Size

ADDED_BYTES = 64 * 1024
"""More than a collector's attributes add to a request."""

LEAST_BATCH = 1_000_000
"""Well over what a batch waits for."""


def largest_batch(largest_request: Size) -> int:
    """Give the bytes of a batch that every single record fits into.

    The exporter would drop a record over its limit, and with it what waits in the same batch.
    """
    return max(LEAST_BATCH, largest_request.bytes + ADDED_BYTES)
