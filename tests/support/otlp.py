"""Sends OTLP over gRPC or HTTP, and says what an answer means to the client."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

Request: TypeAlias = ExportLogsServiceRequest | ExportMetricsServiceRequest | ExportTraceServiceRequest

SERVICES = {
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
}
ANSWERS: dict[str, Any] = {
    "logs": ExportLogsServiceResponse,
    "metrics": ExportMetricsServiceResponse,
    "traces": ExportTraceServiceResponse,
}
RETRYABLE = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
"""By the OTLP specification; RESOURCE_EXHAUSTED only with a delay that the server names."""
RETRYABLE_HTTP = {429, 502, 503, 504}
"""By the same specification."""
DEADLINE_SECONDS = 10.0
"""The deadline that SDKs give a call."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The outcome of a call.

    Attributes:
        code: the status by name.
        error: in words; empty when all records were accepted.
        retryable: the same call should be sent again.
    """

    code: str
    error: str = ""
    retryable: bool = False


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How a server that encrypts proves who it is, and the client to it.

    Attributes:
        host: name that is requested, whatever the address is.
        authority: certificate of the signer of the server's, in PEM.
        client: certificate and key of the client, in PEM; empty where it has none.
    """

    host: str
    authority: str
    client: tuple[str, str] | tuple[()] = ()

    def context(self) -> ssl.SSLContext:
        """Give the same for clients over HTTP."""
        context = ssl.create_default_context(cadata=self.authority)
        if self.client:
            with tempfile.NamedTemporaryFile("w") as both:
                both.write("".join(self.client))
                both.flush()
                context.load_cert_chain(both.name)
        return context


Call: TypeAlias = Callable[[Request], Answer]


@contextmanager
def calls(target: str, signal: str, tls: Tls | None = None) -> Iterator[Call]:
    """Connect to ``host:port`` over gRPC, or to ``http(s)://host:port``; give what sends one request once.

    A target that begins with ``dns:`` stands for all addresses of the name, each in turn.
    """
    if target.startswith("http"):
        verify = True if tls is None else tls.context()
        with httpx.Client(timeout=DEADLINE_SECONDS, verify=verify) as client:
            yield lambda request: _over_http(client, f"{target}/v1/{signal}", signal, request)
        return
    options: list[tuple[str, int | str]] = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_send_message_length", -1),
        *([("grpc.lb_policy_name", "round_robin")] if target.startswith("dns:") else []),
    ]
    with _channel(target, options, tls) as channel:
        call: Callable[..., Any] = channel.unary_unary(
            SERVICES[signal],
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=ANSWERS[signal].FromString,
        )
        yield lambda request: _over_grpc(call, request)


def export(target: str, signal: str, request: Request, tls: Tls | None = None) -> str:
    """Send one request once; give the error, or nothing when all of it was accepted."""
    with calls(target, signal, tls) as call:
        return call(request).error


def _channel(target: str, options: list[tuple[str, int | str]], tls: Tls | None) -> grpc.Channel:
    if tls is None:
        return grpc.insecure_channel(target, options=options)
    named = [("grpc.ssl_target_name_override", tls.host), ("grpc.default_authority", tls.host)]
    certificate, key = (part.encode() for part in tls.client) if tls.client else (None, None)
    known = grpc.ssl_channel_credentials(tls.authority.encode(), key, certificate)
    return grpc.secure_channel(target, known, options=[*options, *named])


def _over_grpc(call: Callable[..., Any], request: Request) -> Answer:
    try:
        answer = call(request, timeout=DEADLINE_SECONDS)
    except grpc.RpcError as error:
        code = error.code()
        return Answer(code=code.name, error=f"{code.name}: {error.details()}", retryable=code in RETRYABLE)
    return Answer(code="OK", error=_partly(answer))


def _over_http(client: httpx.Client, url: str, signal: str, request: Request) -> Answer:
    try:
        answer = client.post(
            url, content=request.SerializeToString(), headers={"content-type": "application/x-protobuf"}
        )
    except httpx.HTTPError as error:
        return Answer(code=type(error).__name__, error=str(error) or repr(error), retryable=True)
    if answer.is_success:
        return Answer(code="OK", error=_partly(ANSWERS[signal].FromString(answer.content)))
    return Answer(
        code=str(answer.status_code),
        error=f"{answer.status_code}: {answer.text}",
        retryable=answer.status_code in RETRYABLE_HTTP,
    )


def _partly(answer: Any) -> str:
    return f"partial success: {answer}" if answer.partial_success.ByteSize() else ""
