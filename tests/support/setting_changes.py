"""Settings, and what another value of each replaces on a running stack; those of phase 4 are beside this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.variants import CA

EXTERNAL = {
    "kafka.mode": "external",
    "kafka.bootstrapServers": ["b-1.kafka.example:9096", "b-2.kafka.example:9096"],
    "kafka.security.mechanism": "SCRAM-SHA-512",
    "kafka.security.username": "otel",
    "kafkaPassword": "given-kafka-password",
}
KEDA = {"autoscaling.lag": "keda"}
COPIED = {"kafka.copyTo.endpoint": "otlp.example.com:4317"}
OPERATOR = {"kubernetes.monitoring": "prometheus-operator"}
AWS = {"objectStorage.aws.checkCredentials": False}
HOSTS = {
    "kubernetes.exposure.otlpGrpcHost": "otlp-grpc.example.com",
    "kubernetes.exposure.otlpHttpHost": "otlp-http.example.com",
    "kubernetes.exposure.grafanaHost": "grafana.example.com",
}
BALANCED = {**HOSTS, "kubernetes.exposure.type": "LoadBalancer"}
INGRESS = {**HOSTS, "kubernetes.exposure.type": "Ingress"}
ROUTED = {**HOSTS, "kubernetes.exposure.type": "GatewayAPI", "kubernetes.exposure.gateway": "public"}
WITH_PODS_OF_PHASE_3 = "kafka kafka-topics otel-gateway otel-processor jaeger prometheus loki grafana"


@dataclass(frozen=True, kw_only=True)
class Change:
    """Settings that concern the same programs, changed on a stack of the repository.

    Attributes:
        of: name of the stack.
        given: what it has been given besides, by key.
        keys: what changes, by key.
        replaced: programs whose containers or pods are replaced.
        touched: whatever else changes something, by the program that it belongs to.
    """

    of: str
    given: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, Any]
    replaced: str = ""
    touched: str = ""


CHANGES = (
    # Docker
    Change(
        of="dev",
        keys={"sizing.collector.cpus": 3.5, "sizing.collector.volume": "90GiB", "ingest.grpcPort": 14317},
        replaced="otel-collector",
    ),
    Change(
        of="dev",
        keys={"sizing.collector.memory": "3GiB", "retention.metricsOutOfOrder": "30h"},
        replaced="otel-collector prometheus",
    ),
    Change(
        of="staging",
        keys={
            "ingest.bindAddress": "192.0.2.1",
            "ingest.httpPort": 14318,
            "docker.advertisedHost": "node.example",
            "query.haproxyPort": 18404,
            "sizing.haproxy.memory": "1GiB",
            "sizing.haproxy.cpus": 3.5,
            "images.overrides": {"haproxy": "haproxy:3.2.1"},
        },
        replaced="haproxy",
        touched="haproxy:3.2.18-alpine haproxy:3.2.1",
    ),
    Change(
        of="staging",
        keys={
            "ingest.corsAllowedOrigins": ["https://shop.example.com"],
            "ingest.maxConcurrentStreams": 101,
            "ingest.maxConnectionAge": "2m",
        },
        replaced="otel-collector otel-gateway",
    ),
    Change(of="staging", keys={"sizing.gateway.memory": "3GiB"}, replaced="haproxy otel-gateway prometheus"),
    Change(
        of="staging",
        keys={
            "sampling.keepPercent": 20,
            "sampling.slowerThan": "2s",
            "sampling.decisionWait": "20s",
            "sampling.maxTraces": 1_000_000,
            "sizing.processor.cpus": 3.5,
        },
        replaced="otel-processor",
    ),
    Change(of="staging", keys={"sampling.mode": "head"}, replaced="otel-processor"),
    Change(
        of="staging",
        keys={"retention.traces": "20d", "query.jaegerPort": 26686, "sizing.jaeger.cpus": 3.5},
        replaced="jaeger",
    ),
    Change(
        of="staging",
        keys={
            "retention.metrics": "40d",
            "retention.metricsSize": "80GB",
            "query.prometheusPort": 19090,
            "sizing.prometheus.memory": "3GiB",
            "sizing.prometheus.cpus": 3.5,
            "alerting.alertmanagers": ["http://alertmanager.example.com:9093"],
            "alerting.runbooksUrl": "https://docs.example.com",
        },
        replaced="prometheus",
    ),
    Change(
        of="staging",
        keys={"retention.logs": "20d", "query.lokiPort": 13100, "sizing.loki.cpus": 3.5},
        replaced="loki",
    ),
    Change(
        of="staging",
        keys={
            "grafana.bindAddress": "192.0.2.1",
            "grafana.port": 13000,
            "grafana.rootUrl": "https://grafana.example.com",
            "grafana.adminUser": "root",
            "sizing.grafana.cpus": 3.5,
        },
        replaced="grafana",
    ),
    Change(of="staging", keys={"query.bindAddress": "192.0.2.1"}, replaced="haproxy jaeger loki prometheus"),
    Change(of="staging", keys={"sizing.kafka.memory": "3GiB", "sizing.kafka.cpus": 3.5}, replaced="kafka"),
    Change(
        of="staging",
        keys={
            "sizing.jaeger.volume": "9TiB",
            "sizing.prometheus.volume": "1TiB",
            "sizing.loki.volume": "9TiB",
            "sizing.grafana.volume": "9GiB",
            "sizing.kafka.volume": "9TiB",
            "sizing.allowAboveCeiling": True,
        },
    ),
    Change(of="staging", keys={"kafka.retentionSize": "20GiB"}, replaced="kafka-topics"),
    Change(of="staging", keys={"kafka.metricsInOrder": True}, replaced="otel-gateway"),
    Change(
        of="staging",
        keys={"kafka.retention": "36h"},
        replaced="kafka-topics otel-collector otel-processor prometheus",
    ),
    Change(
        of="staging",
        keys={"ingest.maxMessageSize": "6MiB"},
        replaced="haproxy kafka kafka-topics otel-collector otel-gateway otel-processor",
    ),
    Change(
        of="staging",
        given=COPIED,
        keys={
            "kafka.copyTo.endpoint": "otlp.example.net:4317",
            "kafka.copyTo.ca": CA,
        },
        replaced="otel-copier",
    ),
    Change(of="staging", given=COPIED, keys={"kafka.copyTo.tls": False}, replaced="otel-copier"),
    Change(
        of="staging",
        given=EXTERNAL,
        keys={
            "kafkaPassword": "another-kafka-password",
            "kafka.bootstrapServers": ["b-2.kafka.example:9096"],
            "kafka.security.mechanism": "PLAIN",
            "kafka.security.username": "telemetry",
            "kafka.security.ca": CA,
        },
        replaced="kafka-topics otel-gateway otel-processor",
    ),
    Change(
        of="staging",
        given=EXTERNAL,
        keys={"kafka.minInSyncReplicas": 2},
        replaced="kafka-topics",
    ),
    # Kubernetes
    Change(
        of="cluster",
        keys={
            "ingest.maxConcurrentStreams": 101,
            "sizing.gateway.cpus": 3.5,
            "autoscaling.gateway.cpuPercent": 60,
            "autoscaling.gateway.maximum": 20,
        },
        replaced="otel-gateway",
    ),
    Change(
        of="cluster",
        keys={"sizing.gateway.memory": "3GiB"},
        replaced="otel-gateway prometheus",
    ),
    Change(
        of="cluster",
        keys={"sizing.gateway.replicas": 3, "sizing.processor.replicas": 3},
        replaced="prometheus",
        touched="otel-gateway otel-processor",
    ),
    Change(of="cluster", keys={"sizing.collector.memory": "3GiB"}),
    Change(of="cluster", keys={"sizing.processor.memory": "3GiB"}, replaced="otel-processor prometheus"),
    Change(
        of="cluster",
        keys={
            "autoscaling.processor.maximum": 5,
            "autoscaling.processor.cpuPercent": 60,
            "sampling.slowerThan": "2s",
        },
        replaced="otel-processor",
    ),
    Change(of="cluster", keys=KEDA, replaced="otel-processor"),
    Change(
        of="cluster",
        given=KEDA,
        keys={"autoscaling.lagThreshold": 500, "autoscaling.kedaNamespace": "scaling"},
        touched="otel-processor",
    ),
    Change(
        of="cluster",
        keys={
            "kubernetes.clients": {"example.com/telemetry": "sends"},
            "kubernetes.clientNetworks": ["192.0.2.0/24"],
        },
        touched="grafana otel-gateway",
    ),
    Change(
        of="cluster",
        keys={"kubernetes.readers": {"example.com/telemetry": "queries"}},
        touched="jaeger loki prometheus",
    ),
    Change(of="cluster", keys={"kubernetes.apiPorts": [443, 16443]}, touched="otel-gateway prometheus"),
    Change(of="cluster", keys={"kubernetes.dnsPorts": [53, 5353]}, touched=WITH_PODS_OF_PHASE_3),
    Change(
        of="cluster",
        given=EXTERNAL,
        keys={"kubernetes.egressPorts": [9000]},
        touched="kafka-topics otel-gateway otel-processor",
    ),
    Change(of="cluster", keys={"kubernetes.spread": "zones"}, replaced="kafka"),
    Change(
        of="cluster",
        keys={
            "kubernetes.labels": {"example.com/team": "platform"},
            "kubernetes.nodeSelector": {"example.com/pool": "telemetry"},
            "kubernetes.tolerations": [{"key": "example.com/telemetry"}],
            "kubernetes.priorityClass": "telemetry",
            "kubernetes.imagePullSecrets": ["registry-login"],
            "kubernetes.reservedCpuPercent": 60,
            "images.registry": "mirror.example:5000",
        },
        replaced=WITH_PODS_OF_PHASE_3,
        touched="otel-stack observability",
    ),
    Change(
        of="cluster",
        keys={"kubernetes.storageClass": "fast"},
        touched="grafana jaeger kafka loki prometheus",
    ),
    Change(
        of="cluster",
        keys=OPERATOR,
        touched="grafana jaeger loki otel-gateway otel-processor prometheus otel-stack",
    ),
    Change(
        of="cluster",
        given=OPERATOR,
        keys={"kubernetes.monitoringNamespace": "prometheus"},
        touched="grafana jaeger loki otel-gateway otel-processor prometheus",
    ),
    Change(of="cluster", keys=BALANCED, replaced="grafana otel-gateway"),
    Change(
        of="cluster",
        given=BALANCED,
        keys={
            "kubernetes.exposure.otlpGrpcHost": "grpc.example.com",
            "kubernetes.exposure.otlpHttpHost": "http.example.com",
            "kubernetes.exposure.className": "example.com/internal",
            "kubernetes.exposure.sourceRanges": ["192.0.2.0/24"],
            "kubernetes.exposure.annotations": {"example.com/load-balancer-scheme": "internal"},
        },
        touched="grafana otel-gateway",
    ),
    Change(
        of="cluster",
        given=BALANCED,
        keys={"kubernetes.exposure.stopDelay": "50s"},
        replaced="grafana jaeger loki otel-gateway prometheus",
    ),
    Change(
        of="cluster",
        given=INGRESS,
        keys={"kubernetes.exposure.grpcAnnotations": {"example.com/protocol": "h2c"}},
        touched="otel-gateway",
    ),
    Change(
        of="cluster",
        given=INGRESS,
        keys={"kubernetes.exposure.tlsSecret": "wildcard-tls"},
        replaced="grafana",
        touched="otel-gateway otel-stack",
    ),
    Change(
        of="cluster",
        given=ROUTED,
        keys={
            "kubernetes.exposure.gateway": "private",
            "kubernetes.exposure.gatewayListener": "https",
        },
        touched="grafana otel-gateway",
    ),
    Change(
        of="cluster",
        given=ROUTED,
        keys={"kubernetes.exposure.gatewayNamespace": "gateways"},
        touched="grafana otel-gateway otel-stack",
    ),
    Change(
        of="cluster",
        given=ROUTED,
        keys={"kubernetes.exposure.grafanaHost": "charts.example.com", "kubernetes.exposure.tls": False},
        replaced="grafana",
    ),
    Change(
        of="cluster",
        keys={"kubernetes.kubeconfig": "~/another"},
        touched="kubernetes kubernetes-namespace",
    ),
)


def keys(text: str, why: str) -> dict[str, str]:
    """Give the same reason for several keys."""
    return dict.fromkeys(text.split(), why)


ELSEWHERE: Mapping[str, str] = {
    **keys("environment phase sizing.preset sizing.eventsPerSecond", "of many programs at once"),
    **keys(
        "docker.host kafka.mode kafka.brokers kafka.partitions kubernetes.context kubernetes.namespace "
        "postgres.mode postgres.database postgres.username objectStorage.provider objectStorage.bucketPrefix "
        "objectStorage.buckets.traces objectStorage.buckets.metrics objectStorage.buckets.ruler "
        "objectStorage.buckets.alertmanager objectStorage.buckets.logs objectStorage.buckets.backups "
        "objectStorage.aws.region objectStorage.s3.endpoint",
        "another value is refused: test_data_is_not_left_behind",
    ),
    **keys(
        "objectStorage.aws.access objectStorage.aws.clusterName objectStorage.aws.oidcProviderArn "
        "objectStorage.aws.kmsKeyArn objectStorage.aws.onDestroy objectStorage.aws.checkCredentials "
        "objectStorage.aws.tags",
        "tests/unit/phase4/test_object_storage_*.py",
    ),
    **keys(
        "ingest.tls.bindAddress ingest.tls.grpcPort ingest.tls.httpPort ingest.tls.certificate "
        "ingest.tls.clientCa ingestTlsKey",
        "tests/unit/test_ingest_tls.py",
    ),
    **keys(
        "kubernetes.render kubernetes.gitops.repository kubernetes.gitops.revision kubernetes.gitops.path "
        "kubernetes.gitops.interval kubernetes.gitops.secret kubernetes.gitops.argoProject "
        "kubernetes.existingSecrets.grafana kubernetes.existingSecrets.kafka "
        "kubernetes.existingSecrets.kafkaCa",
        "moves secrets or manifests: tests/unit/kubernetes",
    ),
    **keys(
        "kafka.version kafka.security.tls kafka.createTopics stores.shape stores.phase3",
        "tests/unit/kafka, tests/unit/phase4",
    ),
}
"""Key -> why no change here is about it."""
