"""Configurations of phase 4 that every rendering test of it goes through."""

from __future__ import annotations

from typing import Any

from tests.support.variants import CLUSTER_VARIANTS

_ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/ABC"
_CLUSTER = {"kubeconfig": "/nonexistent/kubeconfig", "context": "nowhere"}
_S3 = {
    "bucketPrefix": "acme",
    "provider": "s3",
    "s3": {"endpoint": "minio.minio.svc:9000", "credentialsSecret": "s3-credentials", "tls": False},
}
_AWS = {
    "bucketPrefix": "acme",
    "aws": {"region": "eu-central-1", "clusterName": "prod", "checkCredentials": False},
}


_HOSTS = {
    "otlpGrpcHost": "otlp-grpc.example.com",
    "otlpHttpHost": "otlp-http.example.com",
    "grafanaHost": "grafana.example.com",
}


def _stores(**sections: Any) -> dict[str, Any]:
    return {"phase": 4, "kubernetes": _CLUSTER, "objectStorage": _S3, **sections}


OBJECT_VARIANTS: dict[str, dict[str, Any]] = {
    "phase4-small": _stores(),
    "phase4-medium": _stores(sizing={"preset": "medium"}),
    "phase4-large": _stores(sizing={"preset": "large"}),
    "phase4-aws": _stores(objectStorage=_AWS, sizing={"preset": "large"}),
    "phase4-irsa": _stores(
        objectStorage={
            "bucketPrefix": "acme",
            "aws": {
                "region": "eu-central-1",
                "access": "irsa",
                "oidcProviderArn": f"arn:aws:iam::123456789012:oidc-provider/{_ISSUER}",
                "checkCredentials": False,
            },
        },
    ),
    "phase4-split": _stores(sizing={"eventsPerSecond": 200_000}, sampling={"mode": "none"}),
    "phase4-changing-over": _stores(stores={"phase3": "written"}),
    "phase4-changing-over-unsampled": _stores(stores={"phase3": "written"}, sampling={"mode": "none"}),
    "phase4-history": _stores(stores={"phase3": "readable"}, sampling={"mode": "head"}),
    "phase4-everything-set": _stores(
        environment="staging",
        kubernetes={
            **_CLUSTER,
            "namespace": "telemetry",
            "monitoring": "prometheus-operator",
            "existingSecrets": {"grafana": "grafana-secrets"},
            "exposure": {
                "type": "Ingress",
                "otlpGrpcHost": "otlp-grpc.example.com",
                "otlpHttpHost": "otlp-http.example.com",
                "grafanaHost": "grafana.example.com",
                "tlsSecret": "wildcard-tls",
            },
        },
        objectStorage={
            **_S3,
            "s3": {
                "endpoint": "s3.storage.example.com",
                "region": "site-1",
                "pathStyle": False,
                "credentialsSecret": "s3-credentials",
                "caSecret": "s3-ca",
            },
        },
        stores={
            "tenant": "platform",
            "tempo": {
                "memory": "2GiB",
                "maxTraceSize": "10MB",
                "maxAttributeSize": "1MiB",
                "rate": "20MiB",
                "serviceGraphSeries": 5000,
            },
            "mimir": {
                "maxSeries": 2_000_000,
                "samplesPerSecond": 70_000,
                "maxExemplars": 5000,
                "rules": "api",
                "addDeltas": True,
            },
            "loki": {"volume": "30GiB", "maxStreams": 5000, "rate": "20MiB"},
        },
        grafana={
            "replicas": 3,
            "profilesUrl": "http://pyroscope.profiles.svc:4040",
            "oidc": {
                "name": "Example",
                "clientId": "grafana",
                "clientSecret": "grafana-oidc",
                "authUrl": "https://login.example.com/authorize",
                "tokenUrl": "https://login.example.com/token",
                "apiUrl": "https://login.example.com:8443/userinfo",
                "roleAttributePath": "contains(groups, 'sre') && 'Admin' || 'Viewer'",
                "allowedDomains": ["example.com", "example.org"],
                "allowedGroups": ["sre", "Software Engineers"],
                "groupsAttributePath": "realm.groups",
                "only": True,
            },
        },
        postgres={
            "mode": "external",
            "host": "grafana.abc.eu-central-1.rds.amazonaws.com",
            "passwordSecret": "grafana-database",
            "caSecret": "rds-ca",
        },
        alerting={
            "contactPoints": [
                {"name": "on-call", "type": "pagerduty", "secret": "pagerduty", "severities": ["critical"]},
                {"name": "team", "type": "slack", "secret": "slack"},
                {"name": "tickets", "type": "webhook", "secret": "tickets", "port": 8443},
                {"name": "owners", "type": "email", "addresses": ["ops@example.com", "on-call@example.com"]},
            ],
            "smtp": {
                "host": "mail.example.com",
                "port": 2587,
                "fromAddress": "telemetry@example.com",
                "username": "telemetry",
                "passwordSecret": "smtp",
            },
        },
        retention={"traces": "14d", "metrics": "395d", "logs": "90d"},
    ),
    "phase4-strimzi": _stores(
        kubernetes={
            **_CLUSTER,
            "storageClass": "fast",
            "nodeSelector": {"example.com/pool": "telemetry"},
            "tolerations": [{"key": "example.com/telemetry", "effect": "NoSchedule"}],
            "spread": "zones",
            "priorityClass": "telemetry",
            "imagePullSecrets": ["registry-login"],
            "labels": {"example.com/team": "platform"},
            "exposure": {"type": "LoadBalancer", **_HOSTS},
        },
        kafka={"mode": "strimzi"},
        autoscaling={"lag": "keda"},
        sizing={"preset": "medium"},
    ),
    "phase4-external-kafka": _stores(
        kubernetes={
            **_CLUSTER,
            "monitoring": "prometheus-operator",
            "existingSecrets": {"kafka": "kafka-login"},
            "exposure": {"type": "GatewayAPI", "gateway": "public", "gatewayNamespace": "gateways", **_HOSTS},
        },
        kafka={
            "mode": "external",
            "bootstrapServers": ["b-1.kafka.example:9096", "b-2.kafka.example:9096"],
            "security": {"mechanism": "SCRAM-SHA-512", "username": "otel"},
        },
        autoscaling={"lag": "keda"},
    ),
    "phase4-split-zones": _stores(
        kubernetes={**_CLUSTER, "spread": "zones", "exposure": {"type": "LoadBalancer", **_HOSTS}},
        objectStorage=_AWS,
        stores={"shape": "split"},
        autoscaling={"lag": "keda"},
    ),
    "phase4-render": _stores(
        kubernetes={
            **_CLUSTER,
            "render": "deploy/rendered",
            "existingSecrets": {"grafana": "grafana-secrets"},
            "gitops": {"repository": "https://git.example.com/telemetry/deploy.git"},
        },
        postgres={"passwordSecret": "grafana-database"},
    ),
}
"""There is no cluster and no AWS: whatever reaches for one fails."""

ON_CLUSTER: dict[str, dict[str, Any]] = {**CLUSTER_VARIANTS, **OBJECT_VARIANTS}
"""Everything that runs on Kubernetes: phases 3 and 4."""
