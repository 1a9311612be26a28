"""HAProxy: one OTLP address for all gateways of a Docker node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.base import StackComponent, limits
from components.collectors.tls import CERTIFICATE_FILE, CLIENT_CA_FILE, IngestTls
from components.collectors.workload import otlp_ports
from components.images import Image
from components.publication import Publication
from components.sizing import ProgramSize
from components.values.documents import text
from components.values.quantities import Size, mebibytes
from components.workload import Platform, Port, Probe, Workload

CONFIG_DIRECTORY = "/usr/local/etc/haproxy"
OBSERVE_PORT = 8404

AT_REST = mebibytes(32)
"""Memory of HAProxy itself. Measured, with 3.2 on two cores and without a connection: 23 MiB, 28 with TLS."""

BUSY = Size(11 * 16 * 2**10)
"""Memory of a busy connection over HTTP/2, with HAProxy's own size of a buffer (``tune.bufsize``) and four
calls at a time. Measured, with 3.2, 1,000 large uploads and gateways that read nothing: 168 KiB with all
that belongs to it (``tests/configs/test_haproxy_memory.py``)."""

TLS = Size(32 * 2**10)
"""What TLS adds to a connection. Measured, with 3.2: 24 KiB."""

OBSERVERS = 16
"""Connections that no client may take from the health check, Prometheus and readers of the statistics."""

CALL = 4
"""Memory of a gateway for each call that it has, as a multiple of the largest request. Measured, with a
gateway of 512 MiB, without Kafka, and requests of 4 MiB whose log records have six attributes each: 405 MiB
with 16 calls, 433 to 455 with 16 of each protocol, 476 to 512 with 32, 592 with 32 of each, 931 with 160."""

LEAST_CALLS = 4
"""Calls of each protocol that a gateway gets at once, however little memory it has for them."""


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """Settings of the load balancer.

    Attributes:
        image: HAProxy's image.
        size: its limits.
        largest_request: largest OTLP request; the gateways themselves limit those over gRPC.
        gateway: memory of a gateway.
        grpc: where OTLP over gRPC is published.
        http: where OTLP over HTTP is published.
        observe: where its statistics and metrics are published.
        tls: OTLP with TLS for other machines.
    """

    image: Image
    size: ProgramSize
    largest_request: Size
    gateway: Size
    grpc: Publication
    http: Publication
    observe: Publication
    tls: IngestTls | None = None


class LoadBalancer(StackComponent):
    """HAProxy, which finds the gateways by their shared name."""

    def __init__(
        self, name: str, args: LoadBalancerArgs, *, platform: Platform, after: Sequence[StackComponent]
    ) -> None:
        """Run HAProxy once the gateways answer and the previous owner has released the OTLP ports."""
        super().__init__(name, platform)
        workload = Workload(
            name=name,
            image=args.image,
            environment=_environment(args),
            config_directory=CONFIG_DIRECTORY,
            files={"haproxy.cfg": text("haproxy/haproxy.cfg")},
            ports=[
                *otlp_ports(args.grpc, args.http),
                Port(name="observe", number=OBSERVE_PORT, published=args.observe),
            ],
            probe=Probe(port=OBSERVE_PORT, path="/healthz", command=None),
            resources=limits(args.size),
        )
        self.run(workload if args.tls is None else args.tls.within(workload), after)


def _environment(args: LoadBalancerArgs) -> dict[str, str]:
    each = BUSY if args.tls is None else Size(BUSY.bytes + TLS.bytes)
    connections = most_connections(args.size.memory, each)
    limits = {
        "MAX_REQUEST_BYTES": str(args.largest_request.bytes),
        "MAX_CONNECTIONS": str(connections),
        "MAX_OTLP_CONNECTIONS": str(connections - OBSERVERS),
        "MAX_CALLS": str(most_calls(args.gateway, args.largest_request)),
    }
    if args.tls is None:
        return limits
    files = {"OTLP_CERTIFICATE": f"{CONFIG_DIRECTORY}/{CERTIFICATE_FILE}"}
    if args.tls.client_ca is not None:
        files["OTLP_CLIENT_CA"] = f"{CONFIG_DIRECTORY}/{CLIENT_CA_FILE}"
    return limits | files


def most_connections(memory: Size, each: Size) -> int:
    """Return how many connections, each of a size, fit into HAProxy's memory limit."""
    return (memory.bytes - AT_REST.bytes) // each.bytes


def most_calls(memory: Size, largest: Size) -> int:
    """Return how many calls of either protocol, as large as may be, a gateway holds beside the other's."""
    return max(LEAST_CALLS, memory.bytes // (2 * CALL * largest.bytes))
