"""With all the connections that clients may have, HAProxy still says that it is well, and how it is."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from components.load_balancer import OBSERVE_PORT
from components.query_gateway import PORTS
from components.values.addresses import LOOPBACK
from components.values.documents import text
from tests.configs.balanced import Balancer, haproxy, on_loopback
from tests.support.waiting import until

MOST, SHARE = 25, 3
"""Connections altogether, and those of a frontend."""
STORES = dict.fromkeys(("TEMPO", "LOKI", "MIMIR", "ALERTMANAGER"), f"{LOOPBACK}:1")
LIMITS = {
    "haproxy.cfg": {"MAX_OTLP_CONNECTIONS": str(SHARE)},
    "query-gateway.cfg": {**STORES, "MAX_STORE_CONNECTIONS": str(SHARE)},
}


@contextmanager
def limited(folder: Path, file: str) -> Iterator[Balancer]:
    """Run one of the stack's configurations with few connections."""
    moved, ports = on_loopback(text(f"haproxy/{file}"))
    found = Balancer(ports=ports)
    with haproxy(folder, moved, {**LIMITS[file], "MAX_CONNECTIONS": str(MOST)}):
        until("HAProxy", lambda: found.says("/healthz"), seconds=30, forgive=(httpx.HTTPError,))
        yield found


@contextmanager
def clients(ports: Sequence[int]) -> Iterator[None]:
    """Connect to each port more often than HAProxy may accept altogether, and wait for none of them."""
    with ExitStack() as connected:
        for port in (port for port in ports for _ in range(MOST)):
            client = connected.enter_context(socket.socket())
            client.setblocking(False)
            assert client.connect_ex((LOOPBACK, port)) in {0, errno.EINPROGRESS}
        yield


def taken(found: Balancer, frontends: Sequence[str]) -> Mapping[str, float]:
    """Give the connections that frontends have accepted."""
    return {one: found.counts("haproxy_frontend_current_sessions", proxy=one) for one in frontends}


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("file", "frontends"), [("haproxy.cfg", ["otlp"]), ("query-gateway.cfg", sorted(PORTS))]
)
def test_full_it_answers_its_health_check_and_prometheus(
    tmp_path: Path, file: str, frontends: Sequence[str]
) -> None:
    full = dict.fromkeys(frontends, SHARE)
    with limited(tmp_path, file) as one:
        outside = [port for number, port in one.ports.items() if number != OBSERVE_PORT]
        with clients(outside):
            until("its frontends to be full", lambda: taken(one, frontends) == full, seconds=30)
            assert one.says("/healthz")
            limits = {name: one.counts("haproxy_frontend_limit_sessions", proxy=name) for name in frontends}
            assert limits == full
        until("them to be empty", lambda: not any(taken(one, frontends).values()), seconds=30)


@pytest.mark.timeout(120)
def test_a_store_that_hangs_leaves_the_others_their_connections(tmp_path: Path) -> None:
    with limited(tmp_path, "query-gateway.cfg") as one, clients([one.ports[PORTS["loki"]]]):
        until("Loki's share to be taken", lambda: taken(one, ["loki"]) == {"loki": SHARE}, seconds=30)
        mimir = f"http://{LOOPBACK}:{one.ports[PORTS['mimir']]}/prometheus/api/v1/query"
        asked = httpx.get(mimir, timeout=5).status_code
    assert asked == httpx.codes.SERVICE_UNAVAILABLE, "HAProxy looked for a Mimir, which is not there"
