"""Where scripts of the stack itself send metrics."""

from __future__ import annotations

from dataclasses import dataclass

from components.workload import callee


@dataclass(frozen=True, kw_only=True)
class MetricsTarget:
    """A store that takes metrics as OTLP over HTTP, without encryption.

    Attributes:
        endpoint: base address, as a collector's exporter takes it.
        header: additional header line of every request.
    """

    endpoint: str
    header: str = ""

    @property
    def callee(self) -> str:
        """Its ``host:port``."""
        return callee(self.endpoint)

    @property
    def target(self) -> str:
        """Where metrics are posted, without the scheme."""
        return f"{self.endpoint.partition('://')[2]}/v1/metrics"
