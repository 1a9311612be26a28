"""What HAProxy's connections take of its memory, for which ``components/load_balancer.py`` sizes it."""

from __future__ import annotations

import re
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from components.load_balancer import AT_REST, BUSY
from components.values.addresses import LOOPBACK
from components.values.documents import text
from tests.configs.balanced import haproxy
from tests.stores.replicas import Running
from tests.support.otlp import SERVICES
from tests.support.ports import free_ports
from tests.support.waiting import until

CONNECTIONS = 400
REQUEST = bytes(4 * 2**20)
STEADY_SECONDS = 10.0
"""Nobody reads what is sent: once all have sent, buffers stay full, those of the machine included."""

ENDS = """
frontend otlp_grpc
    bind {address}:{port} proto h2
    default_backend gateways_grpc

backend gateways_grpc
    server gateway-1 {address}:{silent} proto h2
"""


def _memory(program: Running) -> int:
    """Memory that a program has of this machine, in bytes."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None, status
    return int(found[1]) * 1024


def _most_memory(program: Running) -> int:
    """Wait until a program takes no more, and give what it took at the most."""
    most, since = 0, time.monotonic()
    while time.monotonic() - since < STEADY_SECONDS:
        if (found := _memory(program)) > most:
            most, since = found, time.monotonic()
        time.sleep(0.5)
    return most


def _is_open(port: int) -> bool:
    with socket.create_connection((LOOPBACK, port), timeout=1):
        return True


@pytest.mark.timeout(180)
def test_a_busy_connection_takes_no_more_than_it_is_sized_for(tmp_path: Path) -> None:
    port, silent = free_ports(2)
    settings = text("haproxy/haproxy.cfg").partition("resolvers platform")[0]
    file = settings + ENDS.format(address=LOOPBACK, port=port, silent=silent)
    with ExitStack() as until_then:
        until_then.enter_context(socket.create_server((LOOPBACK, silent), backlog=2 * CONNECTIONS))
        program = until_then.enter_context(haproxy(tmp_path, file))
        until("HAProxy listens", lambda: _is_open(port), seconds=30, forgive=(OSError,))
        at_rest = _memory(program)
        assert at_rest <= AT_REST.bytes

        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        uploads = []  # A call that nobody holds is given up.
        for _ in range(CONNECTIONS):
            channel = until_then.enter_context(grpc.insecure_channel(f"{LOOPBACK}:{port}", options=options))
            call: Any = channel.unary_unary(SERVICES["logs"])
            uploads.append(call.future(REQUEST, wait_for_ready=True))
        least = at_rest + CONNECTIONS * BUSY.bytes // 4
        until("uploads to fill it", lambda: _memory(program) > least, seconds=90)
        each = (_most_memory(program) - at_rest) / CONNECTIONS
        assert not any(upload.done() for upload in uploads)
    assert each <= BUSY.bytes, f"{each / 1024:.0f} KiB"
