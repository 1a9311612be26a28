"""Connections that are passed on."""

from __future__ import annotations

import socket
import threading

from components.sections import LOOPBACK
from tests.support.relay import relayed


def _answer(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as asked:
        connection.sendall(asked.read().upper())


def test_a_connection_is_passed_on_both_ways_to_its_end() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        threading.Thread(target=_answer, args=(listener,), daemon=True).start()
        with relayed(LOOPBACK, f"{LOOPBACK}:{listener.getsockname()[1]}") as door:
            host, port = door.split(":")
            with socket.create_connection((host, int(port)), 5) as client:
                client.sendall(b"x" * 100_000)
                client.shutdown(socket.SHUT_WR)
                with client.makefile("rb") as answered:
                    assert answered.read() == b"X" * 100_000


def test_who_is_not_there_ends_the_connection() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        nobody = listener.getsockname()[1]
    with relayed(LOOPBACK, f"{LOOPBACK}:{nobody}") as door:
        host, port = door.split(":")
        with socket.create_connection((host, int(port)), 5) as client:
            assert client.recv(1) == b""
