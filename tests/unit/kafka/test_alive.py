"""A broker's liveness: the script's answer to a controller that answers, hangs, or is not there."""

from __future__ import annotations

import socket
import struct
import subprocess
from pathlib import Path
from threading import Thread

from components.values.documents import CONFIGS

SCRIPT = CONFIGS / "kafka" / "brokers" / "alive.sh"
REQUEST = bytes.fromhex("0012 0000 00000000 ffff")
"""ApiVersions, version 0: no client's name."""
ANSWER = struct.pack(">iihi", 10, 0, 0, 0)
"""No error, no kinds of requests."""


def ask(folder: Path, port: int, *, seconds: float = 30) -> int:
    """Give the script's exit status."""
    command = ["bash", str(SCRIPT), str(folder / "waits"), str(port)]
    return subprocess.run(command, capture_output=True, timeout=seconds, check=False).returncode


def test_who_answers_is_alive(tmp_path: Path) -> None:
    asked = []
    with socket.create_server(("localhost", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                (length,) = struct.unpack(">i", connection.recv(4))
                asked.append(connection.recv(length))
                connection.sendall(ANSWER[:1])
                connection.sendall(ANSWER[1:])
                connection.recv(1)

        thread = Thread(target=serve)
        thread.start()
        assert ask(tmp_path, server.getsockname()[1]) == 0
        thread.join(timeout=30)
    assert asked == [REQUEST]


def test_who_closes_without_an_answer_is_not(tmp_path: Path) -> None:
    with socket.create_server(("localhost", 0)) as server:

        def turn_away() -> None:
            server.accept()[0].close()

        thread = Thread(target=turn_away)
        thread.start()
        assert ask(tmp_path, server.getsockname()[1]) != 0
        thread.join(timeout=30)


def test_who_hangs_is_not_and_the_check_ends_by_itself(tmp_path: Path) -> None:
    """The kernel connects to it."""
    with socket.create_server(("localhost", 0)) as server:
        assert ask(tmp_path, server.getsockname()[1], seconds=10) != 0


def test_who_waits_for_room_on_its_disk_is_not_started_again(tmp_path: Path) -> None:
    with socket.create_server(("localhost", 0)) as unused:
        port = unused.getsockname()[1]
    assert ask(tmp_path, port) != 0
    (tmp_path / "waits").touch()
    assert ask(tmp_path, port) == 0
