"""Makes a trace over two services with a log and a metric inside, and sends it with the SDK's exporters."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from opentelemetry import propagate, trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider, TraceBasedExemplarFilter
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

Transport = Literal["grpc", "http"]

FRONTEND = "otel-stack-smoke-frontend"
BACKEND = "otel-stack-smoke-backend"
ID_ATTRIBUTE = "smoke_id"
TRANSPORT_ATTRIBUTE = "smoke_transport"
METRIC = "otel_stack_smoke_duration"
KEEP = {"sampling.priority": 1}
"""On every span: the head sampler decides span by span and keeps those with a priority above zero."""
SEND_SECONDS = 5
"""Time for one request, retries of the exporter included."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What was sent over one transport.

    Attributes:
        transport: OTLP over gRPC or over HTTP.
        smoke_id: marks every span, record and sample of this run.
        trace_id: 32 hex digits.
        parent_span_id: span of the frontend under which the backend's span belongs, 16 hex digits.
        started: when sending began, by ``time.time``.
        refused: signal -> why it was not accepted.
    """

    transport: Transport
    smoke_id: str
    trace_id: str
    parent_span_id: str
    started: float
    refused: dict[str, str]


class Application:
    """Two instrumented services in one process, with everything they emit kept until it is sent."""

    def __init__(self, smoke_id: str, transport: Transport) -> None:
        """Wire both services to the SDK."""
        self.attributes = {ID_ATTRIBUTE: smoke_id, TRANSPORT_ATTRIBUTE: transport}
        self.spans = InMemorySpanExporter()
        self.records = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self.samples = InMemoryMetricReader()
        backend = Resource.create({"service.name": BACKEND})
        self._frontend_tracer = self._tracer(Resource.create({"service.name": FRONTEND}))
        self._backend_tracer = self._tracer(backend)
        logs = LoggerProvider(resource=backend)
        logs.add_log_record_processor(SimpleLogRecordProcessor(self.records))
        self._logger = logs.get_logger(__name__)
        metrics = MeterProvider([self.samples], resource=backend, exemplar_filter=TraceBasedExemplarFilter())
        self._duration = metrics.get_meter(__name__).create_histogram(METRIC, unit="s")

    def handle_request(self) -> trace.SpanContext:
        """Let the frontend call the backend once; give the frontend's span."""
        headers: dict[str, str] = {}
        with self._frontend_tracer.start_as_current_span(
            "smoke request", kind=trace.SpanKind.CLIENT, attributes={**self.attributes, **KEEP}
        ) as span:
            propagate.inject(headers)
            context = span.get_span_context()
        with self._backend_tracer.start_as_current_span(
            "smoke work",
            context=propagate.extract(headers),
            kind=trace.SpanKind.SERVER,
            attributes={**self.attributes, **KEEP},
        ) as work:
            work.set_status(trace.StatusCode.ERROR, "an error on purpose: tail sampling keeps its trace")
            self._logger.emit(
                body=f"smoke {self.attributes[ID_ATTRIBUTE]}",
                severity_number=SeverityNumber.INFO,
                severity_text="INFO",
                timestamp=time.time_ns(),
                attributes=self.attributes,
            )
            self._duration.record(0.042, self.attributes)
        return context

    def _tracer(self, resource: Resource) -> trace.Tracer:
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        return provider.get_tracer(__name__)


def send(smoke_id: str, transport: Transport, endpoint: str) -> Sent:
    """Run one request through the two services and send what they emitted.

    Args:
        smoke_id: marks everything.
        transport: protocol of ``endpoint``.
        endpoint: base address of the stack's OTLP receiver.
    """
    application = Application(smoke_id, transport)
    started = time.time()
    context = application.handle_request()
    refused = _export_all(_exports(application, transport, endpoint), endpoint)
    return Sent(
        transport=transport,
        smoke_id=smoke_id,
        trace_id=trace.format_trace_id(context.trace_id),
        parent_span_id=trace.format_span_id(context.span_id),
        started=started,
        refused=refused,
    )


def _export_all(exports: Mapping[str, Callable[[], Any]], endpoint: str) -> dict[str, str]:
    """Export every signal; give those that were not accepted, with the reason."""
    unreachable = _connection_problem(endpoint)
    if unreachable:
        return dict.fromkeys(exports, unreachable)
    refused: dict[str, str] = {}
    for signal, export in exports.items():
        with _exporter_messages() as messages:
            result = export()
        if result.name != "SUCCESS":
            refused[signal] = messages[-1] if messages else f"no answer from {endpoint}"
    return refused


def _connection_problem(endpoint: str) -> str:
    """Why nothing can be sent to an endpoint at all; found out here, since exporters would try for long."""
    address = urlsplit(endpoint)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), SEND_SECONDS).close()
    except OSError as error:
        return f"no connection to {endpoint}: {error.strerror or error}"
    return ""


def _exports(application: Application, transport: Transport, endpoint: str) -> dict[str, Callable[[], Any]]:
    spans = application.spans.get_finished_spans()
    records = application.records.get_finished_logs()
    samples = application.samples.get_metrics_data()
    if samples is None:
        raise RuntimeError("the SDK collected no metric")
    if transport == "grpc":
        return {
            "trace": lambda: GrpcSpanExporter(endpoint, timeout=SEND_SECONDS).export(spans),
            "log": lambda: GrpcLogExporter(endpoint, timeout=SEND_SECONDS).export(records),
            "metric": lambda: GrpcMetricExporter(endpoint, timeout=SEND_SECONDS).export(samples),
        }
    base = endpoint.rstrip("/")
    return {
        "trace": lambda: HttpSpanExporter(f"{base}/v1/traces", timeout=SEND_SECONDS).export(spans),
        "log": lambda: HttpLogExporter(f"{base}/v1/logs", timeout=SEND_SECONDS).export(records),
        "metric": lambda: HttpMetricExporter(f"{base}/v1/metrics", timeout=SEND_SECONDS).export(samples),
    }


class _Kept(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__()
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(record.getMessage().splitlines()[0])


@contextmanager
def _exporter_messages() -> Iterator[list[str]]:
    """Keep what the SDK's exporters log, which is where they say why they failed."""
    logger = logging.getLogger("opentelemetry")
    messages: list[str] = []
    handler, propagated = _Kept(messages), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
