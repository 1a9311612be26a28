"""Names that the program gives to its containers and volumes on Docker."""

from __future__ import annotations

PROGRAM_CONTAINERS = ("otel-collector", "jaeger", "prometheus", "loki", "grafana")
COLLECTOR_PROBE = "otel-collector-ready"
DATA_VOLUMES = ("otel-storage", "jaeger-data", "prometheus-data", "loki-data", "grafana-data")
