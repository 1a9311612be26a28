"""A gateway gets no more calls at once than its memory holds; others wait for room, and not for long."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import httpx
import pytest

from components.values.addresses import LOOPBACK
from tests.configs.balanced import Balancer, Ports, balancer
from tests.support.numbered import Load
from tests.support.numbered_requests import logs_request
from tests.support.otlp import DEADLINE_SECONDS, Answer, calls
from tests.support.waiting import until

End: TypeAlias = tuple[Answer, float]
"""An answer, and the seconds until it came."""
MOST = 4
"""Calls that these gateways have room for."""
CALLERS = 12
SOON = DEADLINE_SECONDS / 2
REQUEST = logs_request(Load(run="full", target=""), 0, [0])[0]


@dataclass(kw_only=True)
class Gateway:
    """A gateway that keeps its calls until it answers.

    Attributes:
        answers: set when it does.
        hangs: set when its health check says nothing.
        has: calls that it has.
        had: calls that it ever had.
        most: calls that it had at once.
    """

    answers: threading.Event = field(default_factory=threading.Event)
    hangs: threading.Event = field(default_factory=threading.Event)
    has: int = 0
    had: int = 0
    most: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def keep(self) -> None:
        """Have a call until it is answered."""
        with self._counting:
            self.has, self.had = self.has + 1, self.had + 1
            self.most = max(self.most, self.has)
        self.answers.wait()
        with self._counting:
            self.has -= 1


@contextmanager
def gateway() -> Iterator[tuple[Gateway, Ports]]:
    """Run one."""
    one = Gateway()

    class Http(BaseHTTPRequestHandler):
        """OTLP over HTTP, and the health check."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if one.hangs.is_set():
                one.answers.wait()
            self.end()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            one.keep()
            self.end()

        def end(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            with suppress(ConnectionError):
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    class Grpc(grpc.GenericRpcHandler):
        """OTLP over gRPC."""

        def service(self, _: grpc.HandlerCallDetails) -> Any:
            return grpc.unary_unary_rpc_method_handler(self.export)

        def export(self, *_: object) -> bytes:
            one.keep()
            return b""

    server = grpc.server(ThreadPoolExecutor(2 * CALLERS), handlers=[Grpc()])
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    with ThreadingHTTPServer((LOOPBACK, 0), Http) as web:
        web.daemon_threads = True
        threading.Thread(target=web.serve_forever, daemon=True).start()
        server.start()
        try:
            yield one, Ports(grpc=port, http=web.server_port, health=web.server_port)
        finally:
            one.answers.set()
            server.stop(grace=None).wait()
            web.shutdown()


@dataclass(frozen=True, kw_only=True)
class Way:
    """Applications, HAProxy and gateways, over one protocol."""

    protocol: str
    gateways: Sequence[Gateway]
    balancer: Balancer
    callers: ThreadPoolExecutor

    def call(self) -> list[Future[End]]:
        """Begin calls, each over a connection of its own."""

        def one() -> End:
            with calls(self.balancer.targets[self.protocol], "logs") as send:
                begin = time.monotonic()
                return send(REQUEST), time.monotonic() - begin

        return [self.callers.submit(one) for _ in range(CALLERS)]

    def await_full(self) -> None:
        """Wait until every gateway has as many calls as it may."""
        full = [MOST] * len(self.gateways)
        until("full gateways", lambda: [one.has for one in self.gateways] == full, seconds=SOON, pause=0.1)

    @property
    def left(self) -> float:
        """Calls that HAProxy has, those at gateways included."""
        return self.balancer.counts("haproxy_backend_current_sessions", proxy=f"gateways_{self.protocol}")


@contextmanager
def way(protocol: str, folder: Path, *, gateways: int) -> Iterator[Way]:
    """Run everything."""
    with ExitStack() as until_then:
        made = [until_then.enter_context(gateway()) for _ in range(gateways)]
        variables = {"MAX_CALLS": str(MOST)}
        known = until_then.enter_context(balancer(folder, [ports for _, ports in made], variables))
        callers = until_then.enter_context(ThreadPoolExecutor(CALLERS))
        for one, _ in made:  # Before the callers end, who wait for them.
            until_then.callback(one.answers.set)
        yield Way(protocol=protocol, gateways=[one for one, _ in made], balancer=known, callers=callers)


def ended(begun: Sequence[Future[End]]) -> Sequence[End]:
    """Give how calls ended, of those that have."""
    return [call.result() for call in begun if call.done()]


each_protocol = pytest.mark.parametrize("protocol", ["grpc", "http"])


@each_protocol
@pytest.mark.timeout(120)
def test_those_that_find_no_room_are_to_be_sent_again_in_good_time(tmp_path: Path, protocol: str) -> None:
    with way(protocol, tmp_path, gateways=1) as one:
        begun = one.call()
        until("answers", lambda: len(ended(begun)) == CALLERS - MOST, seconds=DEADLINE_SECONDS)
        refused = ended(begun)
        assert one.gateways[0].has == MOST
        one.gateways[0].answers.set()
        answered = Counter(call.result()[0].code for call in begun)
    assert answered == {"OK": MOST, {"grpc": "UNAVAILABLE", "http": "503"}[protocol]: CALLERS - MOST}
    assert all(answer.retryable for answer, _ in refused)
    assert max(seconds for _, seconds in refused) < DEADLINE_SECONDS * 0.8
    assert one.gateways[0].most == MOST


@each_protocol
@pytest.mark.timeout(120)
def test_the_gateway_that_has_room_first_takes_them(tmp_path: Path, protocol: str) -> None:
    with way(protocol, tmp_path, gateways=2) as both:
        full, free = both.gateways
        begun = both.call()
        both.await_full()
        free.answers.set()
        until("its calls and those that wait", lambda: free.had == CALLERS - MOST, seconds=SOON, pause=0.1)
        full.answers.set()
        assert {call.result()[0].code for call in begun} == {"OK"}
    assert (full.most, free.most) == (MOST, MOST)


@each_protocol
@pytest.mark.timeout(120)
def test_a_full_gateway_that_hangs_keeps_nobody_waiting(tmp_path: Path, protocol: str) -> None:
    with way(protocol, tmp_path, gateways=2) as both:
        hung, well = both.gateways
        begun = both.call()
        both.await_full()
        hung.hangs.set()
        well.answers.set()
        ends = [call.result() for call in begun]
    assert sum(answer.code == "OK" for answer, _ in ends) >= CALLERS - MOST
    assert all(answer.code == "OK" or answer.retryable for answer, _ in ends)
    assert max(seconds for _, seconds in ends) < DEADLINE_SECONDS * 0.8


@pytest.mark.timeout(120)
def test_those_of_clients_that_have_hung_up_wait_no_longer(tmp_path: Path) -> None:
    """Nor do they stay with a gateway; over gRPC a client says that it has hung up."""

    def impatient(target: str) -> None:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{target}/v1/logs", content=REQUEST.SerializeToString(), timeout=2)

    with way("http", tmp_path, gateways=1) as one:
        begun = [one.callers.submit(impatient, one.balancer.targets["http"]) for _ in range(CALLERS)]
        one.await_full()
        for call in begun:
            call.result()
        until("none of them to be left", lambda: one.left == 0, seconds=SOON, pause=0.1)
        assert one.gateways[0].has >= MOST, "the gateway has answered none"
