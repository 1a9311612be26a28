"""HAProxy does not leave calls with a gateway that hangs: clients hear of it in time to send them again."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from components.values.addresses import LOOPBACK
from components.values.documents import text
from tests.lab.debian import HAPROXY
from tests.stores.replicas import Running, start
from tests.stores.rooted import root_with
from tests.support.numbered import Load
from tests.support.numbered_requests import logs_request
from tests.support.otlp import DEADLINE_SECONDS, Answer, calls
from tests.support.ports import free_ports
from tests.support.waiting import until

FILE = "/haproxy.cfg"
BUSY = re.compile(
    r'^haproxy_server_current_sessions\{proxy="gateways_\w+",server="gateway-1"\} 1$', re.MULTILINE
)


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
def gateway() -> Iterator[tuple[int, int]]:
    """Listen where OTLP goes and read nothing of it; give that port and the one of its health."""
    with socket.create_server((LOOPBACK, 0)) as otlp, ThreadingHTTPServer((LOOPBACK, 0), Health) as health:
        health.daemon_threads = True
        threading.Thread(target=health.serve_forever, daemon=True).start()
        try:
            yield otlp.getsockname()[1], health.server_port
        finally:
            Health.end.set()
            health.shutdown()


def settings(ports: Mapping[str, int], otlp: int, health: int) -> str:
    """Give the stack's own, for this machine and one gateway."""
    lines = text("haproxy/haproxy.cfg").splitlines()
    found = "\n".join(line for line in lines if " server gateway-" not in line or " gateway-1 " in line)
    for port, own in ports.items():
        found = found.replace(f"bind :{port}", f"bind {LOOPBACK}:{own}")
        found = found.replace(f"otel-gateway-1:{port}", f"{LOOPBACK}:{otlp}")
    return found.replace("port 13133", f"port {health}") + "\n"


@contextmanager
def haproxy(folder: Path, file: str) -> Iterator[Running]:
    """Run HAProxy with a configuration file."""
    with root_with(HAPROXY, folder / "root") as root:
        root.put({FILE: file, "/etc/resolv.conf": f"nameserver {LOOPBACK}\n"})
        running = start("haproxy", root.command("/usr/sbin/haproxy", "-f", FILE), folder, {})
        try:
            yield running
        finally:
            running.end()


@pytest.mark.timeout(120)
def test_calls_that_a_gateway_has_when_it_hangs_are_broken_off(tmp_path: Path) -> None:
    ports = dict(zip(("4317", "4318", "8404"), free_ports(3), strict=True))
    targets = [f"{LOOPBACK}:{ports['4317']}", f"http://{LOOPBACK}:{ports['4318']}"]
    request = logs_request(Load(run="hung", target=""), 0, [0])[0]

    def call(target: str) -> tuple[Answer, float]:
        with calls(target, "logs") as send:
            begin = time.monotonic()
            return send(request), time.monotonic() - begin

    def has_calls() -> bool:
        listed = httpx.get(f"http://{LOOPBACK}:{ports['8404']}/metrics", timeout=5).text
        return len(BUSY.findall(listed)) == len(targets)

    with gateway() as known, haproxy(tmp_path, settings(ports, *known)), ThreadPoolExecutor() as callers:
        until("HAProxy answers", lambda: not has_calls(), seconds=30, forgive=(httpx.HTTPError,))
        answers = [callers.submit(call, target) for target in targets]
        until("the gateway to have the calls", has_calls, seconds=DEADLINE_SECONDS / 2)
        Health.hangs.set()
        for target, (answer, seconds) in zip(targets, [one.result() for one in answers], strict=True):
            assert answer.retryable, (target, answer)
            assert seconds < DEADLINE_SECONDS * 0.8, (target, seconds, answer)
