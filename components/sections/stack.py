"""Settings that are of no one program: retention, sampling, images, where things are published."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, Address, ImageReference, Program, RegistryHost, TcpPort
from components.values.addresses import LOOPBACK
from components.values.quantities import DAY, Duration, Size, days


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RetentionSection:
    """How long each signal is kept.

    Attributes:
        traces: age at which Jaeger expires a trace; phase 4: Tempo, in whole hours.
        metrics: age at which Prometheus drops a block; phase 4: Mimir, in whole hours.
        metrics_size: disk at which Prometheus drops its oldest blocks even before that age; 40GB, or what
            the declared rate needs if that is more.
        metrics_out_of_order: how late a sample may arrive, which bounds the outage of Prometheus or the
            collector after which queued metrics can still be stored.
        logs: age at which Loki deletes log records; phase 4: in whole hours, at least 24.
    """

    traces: Duration = days(30)
    metrics: Duration = days(30)
    metrics_size: Size | None = None
    metrics_out_of_order: Duration = DAY
    logs: Duration = days(31)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class QuerySection:
    """Where the stores' own query interfaces are published on the host.

    Attributes:
        bind_address: address of the host; the stores require no password.
        jaeger_port: Jaeger's UI and query API.
        prometheus_port: Prometheus's UI and query API.
        loki_port: Loki's query API.
        haproxy_port: the load balancer's statistics and metrics, from phase 2 on.
    """

    bind_address: Address = LOOPBACK
    jaeger_port: TcpPort = 16686
    prometheus_port: TcpPort = 9090
    loki_port: TcpPort = 3100
    haproxy_port: TcpPort = 8404


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SamplingSection:
    """Which traces the processors keep, from phase 2 on.

    Attributes:
        mode: ``tail`` decides on whole traces, in memory; ``head`` keeps a share by trace id and ``none``
            keeps all, both without losing anything when a processor dies.
        keep_percent: share of traces kept by ``head``, and by ``tail`` of those neither failed nor slow.
        slower_than: ``tail`` keeps every trace that lasted longer.
        decision_wait: how long ``tail`` waits for the spans of a trace.
        max_traces: undecided traces that one processor holds; by default what the declared rate needs, at
            least 100,000. When full, it stops reading rather than discard one.
    """

    mode: Literal["tail", "head", "none"] = "tail"
    keep_percent: Annotated[float, Field(gt=0, le=100)] = 10
    slower_than: Duration = Duration(1)
    decision_wait: Duration = Duration(10)
    max_traces: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImagesSection:
    """Where images come from.

    Attributes:
        registry: host of a mirror that holds all images under their usual paths.
        overrides: full image reference for individual programs.
    """

    registry: RegistryHost | None = None
    overrides: dict[Program, ImageReference] = field(default_factory=dict)
