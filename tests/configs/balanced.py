"""HAProxy with the stack's own configuration, as a process on loopback, before gateways that a test makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from components.collectors.workload import GRPC_PORT, HTTP_PORT
from components.load_balancer import OBSERVE_PORT
from components.values.addresses import LOOPBACK
from components.values.documents import text
from tests.lab.debian import HAPROXY
from tests.stores.replicas import Running, start
from tests.stores.rooted import root_with
from tests.support.ports import free_ports
from tests.support.waiting import until

FILE = "/haproxy.cfg"
LISTENS = re.compile(r"\bbind :(\d+)")
SERVER = re.compile(r"^ +server gateway-(\d+) \S+:(\d+) .*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where a gateway listens on loopback.

    Attributes:
        grpc, http: OTLP.
        health: its health check.
    """

    grpc: int
    http: int
    health: int


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """HAProxy that runs.

    Attributes:
        ports: port of its configuration -> the one on loopback.
    """

    ports: Mapping[int, int]

    @property
    def targets(self) -> Mapping[str, str]:
        """Where applications send to, by protocol."""
        return {
            "grpc": f"{LOOPBACK}:{self.ports[GRPC_PORT]}",
            "http": f"http://{LOOPBACK}:{self.ports[HTTP_PORT]}",
        }

    def says(self, path: str) -> str:
        """Ask it about itself."""
        url = f"http://{LOOPBACK}:{self.ports[OBSERVE_PORT]}{path}"
        return httpx.get(url, timeout=5).raise_for_status().text

    def counts(self, metric: str, **labels: str) -> float:
        """Give one of its metrics, added up over all series that have these labels."""
        series = [line for line in self.says("/metrics").splitlines() if line.startswith(f"{metric}{{")]
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        found = [line.rsplit(" ", 1)[1] for line in series if all(one in line for one in wanted)]
        assert found, (metric, labels)
        return sum(map(float, found))


@contextmanager
def haproxy(folder: Path, file: str, variables: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Run HAProxy with a configuration file."""
    with root_with(HAPROXY, folder / "root") as root:
        root.put({FILE: file, "/etc/resolv.conf": f"nameserver {LOOPBACK}\n"})
        running = start("haproxy", root.command("/usr/sbin/haproxy", "-f", FILE), folder, variables or {})
        try:
            yield running
        finally:
            running.end()


@contextmanager
def balancer(
    folder: Path, gateways: Sequence[Ports], variables: Mapping[str, str] | None = None
) -> Iterator[Balancer]:
    """Run the stack's load balancer once it has found the gateways to be well."""
    file, ports = on_loopback(text("haproxy/haproxy.cfg"))
    found = Balancer(ports=ports)
    with haproxy(folder, _led_to(gateways, file), variables):
        until(
            "HAProxy to find the gateways",
            lambda: found.counts("haproxy_backend_active_servers") == 2 * len(gateways),
            seconds=30,
            forgive=(httpx.HTTPError,),
        )
        yield found


def on_loopback(file: str) -> tuple[str, Mapping[int, int]]:
    """Give a configuration that listens on free ports of loopback, and these by what they were."""
    known = {int(port) for port in LISTENS.findall(file)}
    ports = dict(zip(sorted(known), free_ports(len(known)), strict=True))
    return LISTENS.sub(lambda match: f"bind {LOOPBACK}:{ports[int(match[1])]}", file), ports


def _led_to(gateways: Sequence[Ports], file: str) -> str:
    """Give a configuration with these gateways in place of those that it names."""

    def server(match: re.Match[str]) -> str:
        number, port = int(match[1]), int(match[2])
        if number > len(gateways):
            return ""
        gateway = gateways[number - 1]
        led = gateway.grpc if port == GRPC_PORT else gateway.http
        line = re.sub(r"otel-gateway-\d+:\d+", f"{LOOPBACK}:{led}", match[0])
        return line.replace("port 13133", f"port {gateway.health}")

    return SERVER.sub(server, file)
