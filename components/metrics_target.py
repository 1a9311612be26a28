"""Where scripts of the stack itself send metrics, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.values.documents import text
from components.workload import callee

SCRIPT = "send-metrics.sh"


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
    def files(self) -> Mapping[str, str]:
        """What the scripts source, to lie beside them."""
        return {SCRIPT: text(f"otlp/{SCRIPT}")}

    @property
    def environment(self) -> Mapping[str, str]:
        """Where that sends them, without the scheme."""
        target = f"{self.endpoint.partition('://')[2]}/v1/metrics"
        return {"METRICS": target, **({"HEADER": self.header} if self.header else {})}
