"""How large a request may get on its way from the application to its store."""

from __future__ import annotations

from components.quantities import Size, mebibytes

ADDED_BYTES = 64 * 1024
"""More than a collector's attributes add to a request."""

LEAST_BATCH = 1_000_000
"""Well over what a batch waits for."""

LEAST_DELIVERY = 16 * 2**20
"""Bytes of a request that a store of traces takes in any case."""

WRITTEN_AT_ONCE = Size(100 * 2**20)
"""What a Kafka client writes to a broker at once (``max_broker_write_bytes``), and what a broker takes
(``socket.request.max.bytes``)."""

MOST_REQUEST = Size(WRITTEN_AT_ONCE.bytes // 2)
"""Largest request for which a record, twice as large, is still written."""

MOST_FOR_JAEGER = mebibytes(8)
"""Largest request that Jaeger's store takes if it is one span. Badger takes 15% of its table of 64 MiB in one
go, 10.1 MB, in which each attribute comes with the service's name, its own and 25 bytes. Measured: a span of
10.0 MB in 170 attributes was stored, and one of 17.7 MB answered with "try again", for ever."""


def largest_batch(largest_request: Size) -> int:
    """Give the bytes of a batch that every single record fits into.

    The exporter would drop a record over its limit, and with it what waits in the same batch.
    """
    return max(LEAST_BATCH, largest_request.bytes + ADDED_BYTES)


def largest_record(largest_request: Size) -> Size:
    """Give the size of a record in Kafka that every batch fits into: twice as large as it may be."""
    return Size(2 * max(LEAST_BATCH, largest_request.bytes))


def largest_delivery(largest_request: Size) -> Size:
    """Give the size of a request, in whole MiB, that a store of traces has to take.

    That is twice a batch: attributes that are made of a list's elements have names of their own.
    """
    whole = -(-2 * largest_batch(largest_request) // 2**20)
    return max(Size(LEAST_DELIVERY), mebibytes(whole))
