"""HAProxy does not leave calls with a gateway that hangs: clients hear of it in time to send them again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.values.addresses import LOOPBACK
from tests.configs.balanced import Ports, balancer
from tests.support.numbered import Load
from tests.support.numbered_requests import logs_request
from tests.support.otlp import DEADLINE_SECONDS, Answer, calls
from tests.support.waiting import until


class Health(BaseHTTPRequestHandler):
    """What a gateway says of its health: nothing while it hangs."""

    hangs, end = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        if self.hangs.is_set():
            self.end.wait()
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def gateway() -> Iterator[Ports]:
    """Listen where OTLP goes and read nothing of it; say where."""
    with socket.create_server((LOOPBACK, 0)) as otlp, ThreadingHTTPServer((LOOPBACK, 0), Health) as health:
        health.daemon_threads = True
        threading.Thread(target=health.serve_forever, daemon=True).start()
        try:
            port = otlp.getsockname()[1]
            yield Ports(grpc=port, http=port, health=health.server_port)
        finally:
            Health.end.set()
            health.shutdown()


@pytest.mark.timeout(120)
def test_calls_that_a_gateway_has_when_it_hangs_are_broken_off(tmp_path: Path) -> None:
    request = logs_request(Load(run="hung", target=""), 0, [0])[0]

    def call(target: str) -> tuple[Answer, float]:
        with calls(target, "logs") as send:
            begin = time.monotonic()
            return send(request), time.monotonic() - begin

    with (
        gateway() as known,
        balancer(tmp_path, [known]) as one,
        ThreadPoolExecutor() as callers,
    ):
        targets = one.targets.values()

        def has_calls() -> bool:
            return one.counts("haproxy_server_current_sessions", server="gateway-1") == len(targets)

        answers = [callers.submit(call, target) for target in targets]
        until("the gateway to have the calls", has_calls, seconds=DEADLINE_SECONDS / 2)
        Health.hangs.set()
        for target, (answer, seconds) in zip(targets, [one.result() for one in answers], strict=True):
            assert answer.retryable, (target, answer)
            assert seconds < DEADLINE_SECONDS * 0.8, (target, seconds, answer)
