"""A broker's readiness: the script's answer to what a broker may tell of its partitions."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

import pytest

from components.values.documents import CONFIGS

SCRIPT = CONFIGS / "kafka" / "brokers" / "in-sync.sh"
REQUEST = bytes.fromhex("0003 0004 00000000 ffff ffffffff 00")
"""Metadata, version 4: no client's name, all topics, none to be made."""
Partition = tuple[Sequence[int], Sequence[int]]
"""Brokers that have a copy, and those of them that are in sync."""


@pytest.mark.parametrize(
    ("topics", "in_sync"),
    [
        pytest.param({}, True, id="no topics yet"),
        pytest.param({"otlp-logs": [((1, 2, 3), (3, 1, 2))]}, True, id="in sync"),
        pytest.param({"otlp-logs": [((1, 2, 3), (1, 2, 3)), ((2, 3, 1), (3, 1))]}, False, id="behind"),
        pytest.param({"otlp-logs": [((1, 3), (1,))], "other": [((2,), (2,))]}, True, id="another one behind"),
        pytest.param({"otlp-logs": [((2,), ())]}, False, id="without a leader"),
        pytest.param({f"t{n}": [((2, 300), (300, 2))] * 40 for n in range(6)}, True, id="many"),
    ],
)
def test_ready_is_who_has_caught_up(topics: dict[str, list[Partition]], in_sync: bool) -> None:
    with _broker(_metadata(topics)) as port:
        ended = _ask(port)
    assert (ended.returncode == 0) is in_sync, ended.stderr


def test_who_does_not_answer_is_not_ready() -> None:
    with socket.create_server(("localhost", 0)) as unused:
        port = unused.getsockname()[1]
    assert _ask(port).returncode != 0


def test_who_hangs_is_not_ready_and_the_check_ends_by_itself() -> None:
    """The kernel connects to it."""
    with socket.create_server(("localhost", 0)) as server:
        assert _ask(server.getsockname()[1], seconds=10).returncode != 0


def _ask(port: int, *, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KAFKA_NODE_ID": "2"}
    command = ["bash", str(SCRIPT), str(port)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )


@contextmanager
def _broker(answer: bytes) -> Iterator[int]:
    """Answer one request, in two pieces, and leave the connection open."""
    with socket.create_server(("localhost", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                (length,) = struct.unpack(">i", connection.recv(4))
                assert connection.recv(length) == REQUEST
                connection.sendall(answer[:11])
                connection.sendall(answer[11:])
                connection.recv(1)

        thread = Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=30)


def _metadata(topics: dict[str, list[Partition]]) -> bytes:
    brokers = [
        struct.pack(">i", number) + _text(f"kafka-{number}") + struct.pack(">ih", 9092, -1)
        for number in (1, 2, 3)
    ]
    body = struct.pack(">ii", 0, 0) + _list(brokers) + _text("b3RlbC1zdGFjay1rYWZrYQ")
    body += struct.pack(">i", 1) + _list([_topic(name, found) for name, found in topics.items()])
    return struct.pack(">i", len(body)) + body


def _topic(name: str, partitions: list[Partition]) -> bytes:
    packed = [
        struct.pack(">hii", 0, number, in_sync[0] if in_sync else -1) + _numbers(copies) + _numbers(in_sync)
        for number, (copies, in_sync) in enumerate(partitions)
    ]
    return struct.pack(">h", 0) + _text(name) + b"\0" + _list(packed)


def _list(packed: Sequence[bytes]) -> bytes:
    return struct.pack(">i", len(packed)) + b"".join(packed)


def _numbers(numbers: Sequence[int]) -> bytes:
    return _list([struct.pack(">i", number) for number in numbers])


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()
