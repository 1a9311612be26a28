"""Names that the program gives to its containers and volumes on Docker."""

from __future__ import annotations

PROGRAM_CONTAINERS = ("otel-collector", "jaeger", "prometheus", "loki", "grafana")
COLLECTOR_PROBE = "otel-collector-ready"
PROGRAM_OF_VOLUME = {
    "otel-storage": "collector",
    "jaeger-data": "jaeger",
    "prometheus-data": "prometheus",
    "loki-data": "loki",
    "grafana-data": "grafana",
}
DATA_VOLUMES = tuple(PROGRAM_OF_VOLUME)
