"""Names that the program gives to things on Docker, where the engine's state does not have them."""

from __future__ import annotations

NETWORK = "observability"
"""Every container of a stack is in this network."""

QUEUE_VOLUME = "otel-storage"
"""Data volume of the collector's queue."""

PROGRAM_OF_VOLUME = {
    QUEUE_VOLUME: "collector",
    "jaeger-data": "jaeger",
    "prometheus-data": "prometheus",
    "loki-data": "loki",
    "grafana-data": "grafana",
}
"""Data volume -> program whose sizing gives its disk budget."""

BROKER_VOLUME = "kafka-data-"
"""Prefix of the names of the brokers' data volumes; their number follows."""
