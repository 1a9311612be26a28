"""Configurations of the stack that every rendering test goes through."""

from __future__ import annotations

from typing import Any

from tests.support.encrypted import encrypted

CA = """\
-----BEGIN CERTIFICATE-----
MIIBszCCAVmgAwIBAgIUc29tZWJvZHkncyBvd24gYXV0aG9yaXR5AAAwCgYIKoZI
-----END CERTIFICATE-----
"""
"""Certificates of nobody: only their form is checked."""

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
            "maxMessageSize": "8MiB",
            "maxConcurrentStreams": 250,
            "maxConnectionAge": "2m",
        },
        "query": {"jaegerPort": 26686, "prometheusPort": 19090, "lokiPort": 13100},
        "images": {"registry": "mirror.example:5000", "overrides": {"loki": "other/loki:3.7.7"}},
        "docker": {"host": "ssh://ops@node.example", "advertisedHost": "node.example"},
        "grafana": {"port": 13000, "adminUser": "root", "rootUrl": "https://grafana.example.com"},
        "alerting": {"alertmanagers": ["http://alertmanager:9093"]},
    },
    "phase1-tls": {"docker": {"advertisedHost": "node.example"}, **encrypted("node.example")},
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
    "phase2-copied": {
        "phase": 2,
        "kafka": {"copyTo": {"endpoint": "otlp-grpc.example.com:443", "ca": CA}},
    },
    "phase2-tls": {
        "phase": 2,
        **encrypted("node.example", clients=True),
        "docker": {"advertisedHost": "node.example"},
    },
}

_NOWHERE = {"kubeconfig": "/nonexistent/kubeconfig", "context": "nowhere"}
_HOSTS = {
    "otlpGrpcHost": "otlp-grpc.example.com",
    "otlpHttpHost": "otlp-http.example.com",
    "grafanaHost": "grafana.example.com",
}
_EXTERNAL_KAFKA = {
    "mode": "external",
    "bootstrapServers": ["b-1.kafka.example:9096", "b-2.kafka.example:9096"],
    "security": {"mechanism": "SCRAM-SHA-512", "username": "otel"},
}


def _cluster(
    kubernetes: dict[str, Any] | None = None, *, exposure: dict[str, Any] | None = None, **sections: Any
) -> dict[str, Any]:
    exposed = {} if exposure is None else {"exposure": {**_HOSTS, **exposure}}
    return {"phase": 3, "kubernetes": {**_NOWHERE, **(kubernetes or {}), **exposed}, **sections}


CLUSTER_VARIANTS: dict[str, dict[str, Any]] = {
    "phase3-small": _cluster(),
    "phase3-medium": _cluster(sizing={"preset": "medium"}),
    "phase3-large": _cluster(sizing={"preset": "large"}),
    "phase3-load-balancer": _cluster(
        {"monitoring": "prometheus-operator"},
        exposure={
            "type": "LoadBalancer",
            "className": "example.com/internal",
            "sourceRanges": ["192.0.2.0/24", "2001:db8::/32"],
            "annotations": {"example.com/load-balancer-scheme": "internal"},
        },
    ),
    "phase3-gateway-api": _cluster(
        exposure={
            "type": "GatewayAPI",
            "gateway": "public",
            "gatewayNamespace": "gateways",
            "gatewayListener": "https",
        },
        autoscaling={"lag": "keda", "lagThreshold": 500},
    ),
    "phase3-external-kafka": _cluster(
        {"existingSecrets": {"kafka": "kafka-login"}, "egressPorts": [9000, 9094], "dnsPorts": [53, 5353]},
        kafka={**_EXTERNAL_KAFKA, "createTopics": False},
        autoscaling={"lag": "keda"},
        sampling={"mode": "head", "keepPercent": 25},
    ),
    "phase3-strimzi": _cluster(sizing={"preset": "medium"}, kafka={"mode": "strimzi"}),
    "phase3-copied": _cluster(
        kafka={"copyTo": {"endpoint": "otlp-grpc.example.com:4317", "tls": False}},
        autoscaling={"processor": {"cpuPercent": 80}},
    ),
    "phase3-everything-set": _cluster(
        {
            "namespace": "telemetry",
            "storageClass": "fast",
            "nodeSelector": {"example.com/pool": "telemetry"},
            "tolerations": [
                {"key": "example.com/telemetry", "effect": "NoSchedule"},
                {"key": "example.com/pool", "value": "telemetry"},
            ],
            "spread": "preferred",
            "priorityClass": "telemetry",
            "imagePullSecrets": ["registry-login"],
            "labels": {"example.com/team": "platform"},
            "reservedCpuPercent": 40,
            "clients": {"example.com/telemetry": "sends"},
            "clientNetworks": ["192.0.2.0/24"],
            "readers": {"example.com/telemetry": "queries"},
            "apiPorts": [443, 16443],
            "monitoring": "prometheus-operator",
            "monitoringNamespace": "prometheus",
            "existingSecrets": {"grafana": "grafana-secrets"},
        },
        exposure={
            "type": "Ingress",
            "className": "nginx",
            "stopDelay": "45s",
            "tlsSecret": "wildcard-tls",
            "tls": True,
            "annotations": {"example.com/rate-limit": "100"},
            "grpcAnnotations": {"nginx.ingress.kubernetes.io/backend-protocol": "GRPC"},
        },
        environment="staging",
        sizing={"preset": "medium", "gateway": {"replicas": 3}},
        autoscaling={
            "gateway": {"maximum": 9, "cpuPercent": 60},
            "processor": {"maximum": 4},
            "lag": "keda",
            "lagThreshold": 2000,
            "kedaNamespace": "scaling",
        },
        images={"registry": "mirror.example:5000"},
        grafana={"adminUser": "root", "rootUrl": "https://grafana.example.com"},
        alerting={
            "alertmanagers": [
                "http://alertmanager-0.alertmanager.monitoring.svc:9093",
                "https://alerts.example.com/team/",
                "http://alertmanager-1.alertmanager.monitoring.svc:9093",
            ]
        },
    ),
    "phase3-render": _cluster(
        {
            "render": "deploy/rendered",
            "existingSecrets": {
                "grafana": "grafana-secrets",
                "kafka": "kafka-login",
                "kafkaCa": "kafka-ca",
            },
            "gitops": {
                "repository": "git@git.example.com:telemetry/deploy.git",
                "revision": "production",
                "path": "clusters/main",
                "interval": "5m",
                "secret": "deploy-key",
                "argoProject": "telemetry",
            },
        },
        kafka=_EXTERNAL_KAFKA,
        autoscaling={"lag": "keda"},
    ),
}
"""The same for Kubernetes. There is no cluster: whatever reaches for one fails."""
