"""The section of the stack configuration on where applications send OTLP."""

from __future__ import annotations

from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, Address, Certificates, Count, Origin, TcpPort
from components.values.addresses import LOOPBACK
from components.values.quantities import Duration, Size, mebibytes


@dataclass(frozen=True, kw_only=True, config=STRICT)
class IngestTlsSection:
    """OTLP with TLS, beside the ports without. The certificate's key is a separate secret: ``ingestTlsKey``.

    Attributes:
        bind_address: address of the host on which it is published.
        grpc_port: OTLP over gRPC.
        http_port: OTLP over HTTP.
        certificate: PEM certificate of the name that clients use, then those between it and its CA.
        client_ca: PEM certificates of the CA that signs clients' own; without it clients need none.
    """

    bind_address: Address
    grpc_port: TcpPort = 4317
    http_port: TcpPort = 4318
    certificate: Certificates
    client_ca: Certificates | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class IngestSection:
    """Where applications send OTLP, and what is accepted.

    Attributes:
        bind_address: address of the host on which the OTLP ports are published, in phases 1 and 2.
        grpc_port: OTLP over gRPC, likewise.
        http_port: OTLP over HTTP, likewise.
        cors_allowed_origins: origins of browser applications, such as https://shop.example.com.
        max_message_size: largest request accepted, in whole MiB; 8 MiB at most where Jaeger stores traces,
            else 49 MiB.
        max_concurrent_streams: concurrent calls on one gRPC connection.
        max_connection_age: age at which a gRPC client is asked to reconnect; 5 minutes by default, 1 minute
            on Kubernetes, where whole connections are spread over the gateways.
        tls: OTLP with TLS for other machines, in phases 1 and 2; on Kubernetes see ``kubernetes.exposure``.
    """

    bind_address: Address = LOOPBACK
    grpc_port: TcpPort = 4317
    http_port: TcpPort = 4318
    cors_allowed_origins: tuple[Origin, ...] = ()
    max_message_size: Size = mebibytes(4)
    max_concurrent_streams: Count = 100
    max_connection_age: Duration | None = None
    tls: IngestTlsSection | None = None
