"""Configurations of the stack that every rendering test goes through."""

from __future__ import annotations

from typing import Any

VARIANTS: dict[str, dict[str, Any]] = {
    "phase1-small": {},
    "phase1-medium": {"sizing": {"preset": "medium"}},
    "phase1-large": {"sizing": {"preset": "large"}},
    "phase1-everything-set": {
        "environment": "staging",
        "sizing": {"eventsPerSecond": 300, "collector": {"memory": "1GiB", "cpus": 1.5}},
        "retention": {
            "traces": "7d",
            "metrics": "15d",
            "metricsSize": "20GB",
            "logs": "36h",
            "metricsOutOfOrder": "6h",
        },
        "ingest": {
            "bindAddress": "0.0.0.0",
            "grpcPort": 14317,
            "httpPort": 14318,
            "corsAllowedOrigins": ["https://shop.example.com"],
            "maxMessageSize": "16MiB",
            "maxConcurrentStreams": 250,
            "maxConnectionAge": "2m",
        },
        "query": {"jaegerPort": 26686, "prometheusPort": 19090, "lokiPort": 13100},
        "images": {"registry": "mirror.example:5000", "overrides": {"loki": "other/loki:3.7.7"}},
        "docker": {"host": "ssh://ops@node.example", "advertisedHost": "node.example"},
        "grafana": {"port": 13000, "adminUser": "root", "rootUrl": "https://grafana.example.com"},
    },
    "phase2-small": {"phase": 2},
    "phase2-medium": {"phase": 2, "sizing": {"preset": "medium"}},
    "phase2-large": {"phase": 2, "sizing": {"preset": "large"}, "sampling": {"mode": "none"}},
    "phase2-external-kafka": {
        "phase": 2,
        "sampling": {"mode": "head", "keepPercent": 25},
        "kafka": {
            "mode": "external",
            "bootstrapServers": ["b-1.kafka.example:9096", "b-2.kafka.example:9096"],
            "security": {"mechanism": "SCRAM-SHA-512", "username": "otel"},
        },
        "kafkaPassword": "given-kafka-password",
    },
}
