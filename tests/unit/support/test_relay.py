"""Connections that are passed on."""

from __future__ import annotations

import socket
import threading

import pytest

from components.values.addresses import LOOPBACK
from tests.support.relay import relayed


def _answer(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as asked:
        connection.sendall(asked.read().upper())


def test_a_connection_is_passed_on_both_ways_to_its_end() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        threading.Thread(target=_answer, args=(listener,), daemon=True).start()
        with relayed(LOOPBACK, f"{LOOPBACK}:{listener.getsockname()[1]}") as relay:
            host, port = relay.door.split(":")
            with socket.create_connection((host, int(port)), 5) as client:
                client.sendall(b"x" * 100_000)
                client.shutdown(socket.SHUT_WR)
                with client.makefile("rb") as answered:
                    assert answered.read() == b"X" * 100_000


def test_who_is_not_there_ends_the_connection() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        nobody = listener.getsockname()[1]
    with relayed(LOOPBACK, f"{LOOPBACK}:{nobody}") as relay:
        host, port = relay.door.split(":")
        with socket.create_connection((host, int(port)), 5) as client:
            assert client.recv(1) == b""


def test_whose_other_end_has_vanished_hears_nothing_and_who_comes_then_is_served() -> None:
    with (
        socket.create_server((LOOPBACK, 0)) as listener,
        relayed(LOOPBACK, f"{LOOPBACK}:{listener.getsockname()[1]}") as relay,
    ):
        host, port = relay.door.split(":")
        with socket.create_connection((host, int(port)), 5) as before:
            there, _ = listener.accept()
            relay.vanish()
            with there, socket.create_connection((host, int(port)), 5) as after:
                threading.Thread(target=_answer, args=(listener,), daemon=True).start()
                before.sendall(b"x")
                there.shutdown(socket.SHUT_WR)
                after.sendall(b"y")
                after.shutdown(socket.SHUT_WR)
                assert after.recv(1) == b"Y"
                for end in (before, there):
                    end.settimeout(0.5)
                    with pytest.raises(TimeoutError):
                        end.recv(1)
