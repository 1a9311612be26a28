"""An HTTP server on loopback that says OK to everything and remembers what it was sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request.

    Attributes:
        path: path and query.
        headers: its headers; names in upper or lower case.
        body: its body.
    """

    path: str
    headers: Message
    body: bytes


@contextmanager
def recorder(answer: bytes = b"") -> Iterator[tuple[str, list[Sent]]]:
    """Serve until the end; give the address, and the list of requests, which grows."""
    seen: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        def record(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append(Sent(path=self.path, headers=self.headers, body=body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = record  # noqa: N815 (the base class's names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
