"""A way for containers to an address that only this machine reaches, such as a Service's of its cluster."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from components.values.addresses import LOOPBACK
from tests.support import own_engine
from tests.support.docker_engine import Engine

CHUNK = 65536
CONNECT_SECONDS = 5.0


@dataclass(kw_only=True)
class Relay:
    """What listens and forwards.

    Attributes:
        door: where it listens, as ``host:port``.
    """

    door: str
    _void: threading.Event = field(default_factory=threading.Event)

    def vanish(self) -> None:
        """Let both ends of the connections that there are hear nothing any more, not even an end."""
        self._void.set()
        self._void = threading.Event()

    def forward(self, here: socket.socket, target: tuple[str, int]) -> None:
        """Connect to the target and forward both ways, until both ends have ended."""
        void = self._void
        with suppress(OSError), socket.create_connection(target, CONNECT_SECONDS) as there:
            there.settimeout(None)
            back = threading.Thread(target=_pump, args=(there, here, void), daemon=True)
            back.start()
            _pump(here, there, void)
            back.join()


@contextmanager
def relayed(address: str, target: str) -> Iterator[Relay]:
    """Listen on a free port of an address and forward connections to the target, a ``host:port``."""
    host, _, port = target.rpartition(":")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            relay.forward(self.request, (host, int(port)))

    with socketserver.ThreadingTCPServer((address, 0), Handler, bind_and_activate=True) as server:
        server.daemon_threads = True
        server.block_on_close = False
        relay = Relay(door=f"{address}:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield relay
        finally:
            server.shutdown()


def reached_from(engine: Engine) -> str:
    """Give the address at which the containers of an engine reach this machine."""
    if engine.address != LOOPBACK:
        return own_engine.OUTER_ADDRESS
    (network,) = engine.client.networks.get("bridge").attrs["IPAM"]["Config"]
    return str(network["Gateway"])


def _pump(source: socket.socket, sink: socket.socket, void: threading.Event) -> None:
    """Forward what comes, until it ends, and then its end; or take it and do nothing."""
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            if not void.is_set():
                sink.sendall(chunk)
    if not void.is_set():
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
