"""How large a request may get on its way from the application to its store."""

from __future__ import annotations

from components.values.quantities import Size, mebibytes

ADDED_BYTES = 64 * 1024
"""More than a collector's attributes add to a request."""

LEAST_DELIVERY = 16 * 2**20
"""Bytes of a request that a trace store accepts in any case."""

WRITTEN_AT_ONCE = Size(100 * 2**20)
"""Most that a Kafka client writes to a broker at once (``max_broker_write_bytes``), and that a broker accepts
(``socket.request.max.bytes``)."""

MOST_REQUEST = mebibytes(49)
"""Largest request that passes everywhere when it has become twice as large: Kafka's clients write its record,
frame included, and Tempo's own clients receive it (100 MiB each)."""

MOST_FOR_JAEGER = mebibytes(8)
"""Largest request that Jaeger's store accepts as a single span. Badger takes 15% of its 64 MiB table in one
go, 10.1 MB, in which each attribute comes with the service's name, its own and 25 bytes. Measured: a span of
10.0 MB in 170 attributes was stored, and one of 17.7 MB was answered with "try again", forever."""


MOST_ANSWER = Size(100 * 2**20)
"""Most that Tempo's clients receive at once, such as a querier from a replica: the default of their
``grpc_client_config.max_recv_msg_size``."""

MOST_TRACE = Size(MOST_ANSWER.bytes // 2)
"""Largest trace whose answer all of them receive."""


def largest_answer(largest_trace: Size) -> Size:
    """Return the size of an answer that a whole trace fits into.

    That is twice the trace: its limit counts what came in, not what an answer adds.
    """
    return Size(2 * largest_trace.bytes)


def largest_batch(largest_request: Size) -> int:
    """Return the bytes of a batch that any single record fits into.

    The exporter would drop a record over its limit, and with it the rest of its batch.
    """
    return largest_request.bytes + ADDED_BYTES


def largest_record(largest_request: Size) -> Size:
    """Return the size of a Kafka record that every batch fits into: twice as large as a request may be."""
    return Size(2 * largest_request.bytes)


def largest_delivery(largest_request: Size) -> Size:
    """Return the size of a request, in whole MiB, that a trace store has to accept.

    That is twice a batch: attributes made from a list's elements get names of their own.
    """
    whole = -(-2 * largest_batch(largest_request) // 2**20)
    return max(Size(LEAST_DELIVERY), mebibytes(whole))
