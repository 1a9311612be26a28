"""The first broker of several, for which the others need not wait: the script that says so."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence

import pytest

from components.values.documents import CONFIGS
from tests.support.ports import free_ports
from tests.support.process_one import as_process_one

SCRIPT = CONFIGS / "kafka" / "brokers" / "first-up.sh"
OWN, OTHER, ANOTHER = "127.0.0.1", "127.0.0.2", "127.0.0.3"
VOTERS = f"1@{OTHER}:9093,2@{OWN}:9093,3@{ANOTHER}:9093"


@pytest.mark.parametrize(
    ("serving", "need_not_wait"),
    [
        pytest.param([], True, id="none"),
        pytest.param([OWN], True, id="itself"),
        pytest.param([OTHER], False, id="another one"),
        pytest.param([OWN, ANOTHER], False, id="the last of three"),
    ],
)
def test_others_wait_while_one_serves(serving: Sequence[str], need_not_wait: bool) -> None:
    assert (_ask(serving, as_process_one()).returncode == 0) is need_not_wait


def test_others_wait_for_one_that_started_long_ago() -> None:
    ended = _ask([])
    assert ended.returncode != 0
    assert "more than a minute ago" in ended.stderr


def _ask(serving: Sequence[str], within: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    (port,) = free_ports(1)
    servers = [socket.create_server((host, port)) for host in serving]
    try:
        environment = {**os.environ, "KAFKA_NODE_ID": "2", "KAFKA_CONTROLLER_QUORUM_VOTERS": VOTERS}
        command = [*within, "bash", str(SCRIPT), str(port)]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=30, check=False
        )
    finally:
        for server in servers:
            server.close()
