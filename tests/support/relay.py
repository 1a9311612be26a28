"""A way for containers to an address that only this machine reaches, such as a Service's of its cluster."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from components.sections import LOOPBACK
from tests.support import own_engine
from tests.support.docker_engine import Engine

CHUNK = 65536
CONNECT_SECONDS = 5.0


@contextmanager
def relayed(address: str, target: str) -> Iterator[str]:
    """Listen on a free port of an address and forward connections to the target; both are ``host:port``."""
    host, _, port = target.rpartition(":")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection((host, int(port)), CONNECT_SECONDS) as there:
                there.settimeout(None)
                back = threading.Thread(target=_pump, args=(there, self.request), daemon=True)
                back.start()
                _pump(self.request, there)
                back.join()

    with socketserver.ThreadingTCPServer((address, 0), Handler, bind_and_activate=True) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"{address}:{server.server_address[1]}"
        finally:
            server.shutdown()


def reached_from(engine: Engine) -> str:
    """Give the address at which the containers of an engine reach this machine."""
    if engine.address != LOOPBACK:
        return own_engine.OUTER_ADDRESS
    (network,) = engine.client.networks.get("bridge").attrs["IPAM"]["Config"]
    return str(network["Gateway"])


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Forward what comes, until it ends, and then its end."""
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            sink.sendall(chunk)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
