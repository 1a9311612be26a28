"""Settings of phase 3 that do not go together: each line of what is said, with key, value and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import Settings, SettingsError
from tests.support.settings_phase3 import cluster, exposed, rendered

HOSTS = {"otlpGrpcHost": "grpc.example.com", "otlpHttpHost": "http.example.com"}
SASL = {"mechanism": "SCRAM-SHA-512", "username": "otel"}
BUCKETS = {
    "provider": "s3",
    "bucketPrefix": "acme",
    "s3": {"endpoint": "s3.example.com", "credentialsSecret": "object-storage"},
}
EXTERNAL = {"mode": "external", "bootstrapServers": ["b.example:9096"], "security": SASL}
NO_SECRETS = (
    "manifests in Git must not hold secrets: name a Secret in the namespace, made by External Secrets, "
    "Sealed Secrets or by hand"
)
ENVIRONMENT = "or kubernetes.render for manifests only; what is in the environment is never used"

TOGETHER: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"phase": 3},
        [
            f"kubernetes.kubeconfig: not set: phase 3 needs the path of a kubeconfig file, {ENVIRONMENT}",
            (
                "kubernetes.context: not set: phase 3 needs the name of a context in it (kubectl config "
                f"get-contexts), {ENVIRONMENT}"
            ),
        ],
    ),
    (
        {"phase": 3, "kubernetes": {"kubeconfig": "~/.kube/config"}},
        [
            (
                "kubernetes.context: not set: phase 3 needs the name of a context in it (kubectl config "
                f"get-contexts), {ENVIRONMENT}"
            ),
        ],
    ),
    (
        exposed(type="LoadBalancer"),
        [
            (
                "kubernetes.exposure.otlpGrpcHost: not set: exposure.type: LoadBalancer needs the "
                "host name under which it is reached"
            ),
            (
                "kubernetes.exposure.otlpHttpHost: not set: exposure.type: LoadBalancer needs the "
                "host name under which it is reached"
            ),
        ],
    ),
    (
        exposed(type="Ingress", otlpGrpcHost="grpc.example.com"),
        [
            (
                "kubernetes.exposure.otlpHttpHost: not set: exposure.type: Ingress needs the "
                "host name under which it is reached"
            ),
        ],
    ),
    (
        exposed(type="GatewayAPI", **HOSTS),
        [
            (
                "kubernetes.exposure.gateway: not set: exposure.type: GatewayAPI needs the name of a Gateway "
                "in the cluster"
            )
        ],
    ),
    (
        exposed(type="GatewayAPI", gateway="public", tlsSecret="tls", **HOSTS),
        [
            (
                "kubernetes.exposure.tlsSecret: 'tls': exposure.type: GatewayAPI does not use it (a "
                "Gateway's listeners and a cloud's load balancer have their own certificates (see "
                "exposure.annotations)); remove it, or set exposure.type: Ingress"
            )
        ],
    ),
    *(
        (
            exposed(type=kind, **{key: value}, **hosts),
            [
                (
                    f"kubernetes.exposure.{key}: {value!r}: exposure.type: {kind} does not use it; "
                    f"remove it, or set exposure.type: {types}"
                )
            ],
        )
        for kind, hosts, key, value, types in (
            ("ClusterIP", {}, "gatewayListener", "https", "GatewayAPI"),
            ("LoadBalancer", HOSTS, "gatewayListener", "https", "GatewayAPI"),
            ("Ingress", HOSTS, "gateway", "public", "GatewayAPI"),
            ("ClusterIP", {}, "otlpGrpcHost", "otlp.example.com", "LoadBalancer or Ingress or GatewayAPI"),
            ("ClusterIP", {}, "tls", True, "LoadBalancer or Ingress or GatewayAPI"),
            ("ClusterIP", {}, "annotations", {"a.b/c": "d"}, "LoadBalancer or Ingress or GatewayAPI"),
            ("LoadBalancer", HOSTS, "grpcAnnotations", {"a.b/c": "d"}, "Ingress or GatewayAPI"),
            ("ClusterIP", {}, "className", "nginx", "LoadBalancer or Ingress"),
        )
    ),
    (
        exposed(type="Ingress", className="service.k8s.aws/nlb", **HOSTS),
        [
            (
                "kubernetes.exposure.className: 'service.k8s.aws/nlb': exposure.type: Ingress takes the name "
                "of an IngressClass, such as nginx, which has no slash (kubectl get ingressclasses lists "
                "them); a load balancer's class may have one: set one of those names, or exposure.type: "
                "LoadBalancer"
            )
        ],
    ),
    (
        exposed(type="Ingress", sourceRanges=["192.0.2.0/24"], **HOSTS),
        [
            (
                "kubernetes.exposure.sourceRanges: ['192.0.2.0/24']: exposure.type: Ingress does not use it "
                "(restrict what is in front of it); remove it, or set exposure.type: LoadBalancer"
            )
        ],
    ),
    *(
        (
            exposed(type="Ingress", otlpGrpcHost=host, otlpHttpHost="otlp.example.com"),
            [
                (
                    f"kubernetes.exposure.otlpGrpcHost: '{host}': exposure.type: Ingress takes names in "
                    "lower case only, no addresses, such as otlp.example.com"
                )
            ],
        )
        for host in ("OTLP.example.com", "192.0.2.1", "otlp..example.com", "otlp.example.com.")
    ),
    (
        exposed(type="Ingress", annotations={"cert-manager.io/cluster-issuer": "main"}, **HOSTS),
        [
            (
                "kubernetes.exposure.annotations: 'cert-manager.io/cluster-issuer': it makes a certificate "
                "for each Ingress, and all of them share exposure.tlsSecret; remove it, and make one "
                "Certificate for all host names"
            )
        ],
    ),
    *(
        (
            cluster(tolerations=[given]),
            [f"kubernetes.tolerations.0: {given!r}: {wrong}"],
        )
        for given, wrong in (
            (
                {"key": "pool", "operator": "Exists", "value": "telemetry"},
                "Exists takes no value: remove it, or the operator",
            ),
            ({"operator": "Equal", "value": "telemetry"}, "a value needs the key of its taint"),
            ({"value": "telemetry"}, "a value needs the key of its taint"),
            ({"key": "pool", "operator": "Equal"}, "Equal needs a value; an empty one is ''"),
        )
    ),
    *(
        (
            {**cluster(namespace=name, **section), **others},
            [
                (
                    f"kubernetes.namespace: '{name}': {whose}; the stack denies all connections in its "
                    "namespace that it does not make, and confines the pods there: choose one for the stack "
                    "alone, such as observability"
                )
            ],
        )
        for name, whose, section, others in (
            ("kube-system", "Kubernetes' own", {}, {}),
            ("default", "every cluster's own", {}, {}),
            (
                "monitoring",
                "kubernetes.monitoringNamespace",
                {"monitoring": "prometheus-operator"},
                {},
            ),
            ("keda", "autoscaling.kedaNamespace", {}, {"autoscaling": {"lag": "keda"}}),
        )
    ),
    *(
        (
            cluster(gitops={"path": path}),
            [
                (
                    f"kubernetes.gitops.path: '{path}': write the folder as seen from the repository's root, "
                    "such as deploy/prod"
                )
            ],
        )
        for path in ("/deploy/prod", "deploy/prod/", "../other", "a/../../b")
    ),
    (
        exposed(
            type="GatewayAPI",
            gateway="public",
            otlpGrpcHost="otlp.example.com",
            otlpHttpHost="otlp.example.com",
            grafanaHost="otlp.example.com",
        ),
        [
            (
                f"kubernetes.exposure.{key}: '{host}': kubernetes.exposure.otlpGrpcHost is the same, and "
                "exposure.type: GatewayAPI tells them apart only by their hosts; give each its own"
            )
            for key, host in (("otlpHttpHost", "otlp.example.com"), ("grafanaHost", "otlp.example.com"))
        ],
    ),
    (
        cluster(clients={"team": "a"}, exposure={"type": "LoadBalancer", **HOSTS}),
        [
            (
                "kubernetes.clients: {'team': 'a'}: connections of a load balancer come from no namespace, "
                "so this could not keep others out: remove it and restrict the load balancer "
                "(exposure.sourceRanges), or choose another exposure.type"
            )
        ],
    ),
    (
        cluster(apiPorts=[]),
        [
            (
                "kubernetes.apiPorts: []: gateways and Prometheus query the API server; name its ports, or "
                "remove this for 443 and 6443"
            )
        ],
    ),
    (
        cluster(dnsPorts=[]),
        [
            (
                "kubernetes.dnsPorts: []: every program looks up names; name the ports of the cluster's DNS, "
                "or remove this for 53"
            )
        ],
    ),
    (
        rendered(existingSecrets={}),
        [
            (
                f"kubernetes.existingSecrets.grafana: not set: {NO_SECRETS}, "
                "with the keys admin-password and secret-key"
            )
        ],
    ),
    (
        {**rendered(), "kafka": EXTERNAL, "kafkaPassword": "hunter2"},
        [
            (
                f"kafkaPassword: '(secret)': {NO_SECRETS}, with the key password, in "
                "kubernetes.existingSecrets.kafka; remove this one"
            )
        ],
    ),
    (
        {**rendered(), "kafka": EXTERNAL},
        [
            (
                "kubernetes.existingSecrets.kafka: not set: kafka.security.mechanism needs it: manifests in "
                "Git must not hold secrets, so name one in the namespace with the key password"
            )
        ],
    ),
    (
        {**rendered(), "phase": 4, "objectStorage": BUCKETS},
        [f"postgres.passwordSecret: not set: {NO_SECRETS}, with the key password"],
    ),
    (
        {**cluster(), "sizing": {"gateway": {"replicas": 4}}, "autoscaling": {"gateway": {"maximum": 3}}},
        [
            (
                "autoscaling.gateway.maximum: 3: the sizing already runs 4; raise it, or lower "
                "sizing.gateway.replicas"
            )
        ],
    ),
    (
        {**cluster(), "sizing": {"processor": {"replicas": 3}}, "autoscaling": {"processor": {"maximum": 2}}},
        [
            (
                "autoscaling.processor.maximum: 2: the sizing already runs 3; raise it, or lower "
                "sizing.processor.replicas"
            )
        ],
    ),
    (
        {**cluster(), "kafka": {"partitions": 4}, "autoscaling": {"processor": {"maximum": 5}}},
        [
            (
                "autoscaling.processor.maximum: 5: only 4 processors get a partition (kafka.partitions); the "
                "others would idle"
            )
        ],
    ),
    (
        {"phase": 2, "kafka": {"mode": "strimzi"}},
        ["kafka.mode: 'strimzi': Strimzi runs on Kubernetes, phase 3; phase 2 takes builtin or external"],
    ),
    (
        {
            **cluster(),
            "kafka": {
                "mode": "external",
                "bootstrapServers": ["kafka:9092", "b-1.kafka-headless:9092", "kafka.streaming.svc:9092"],
            },
        },
        [
            (
                f"kafka.bootstrapServers: '{server}': a name without a namespace, or ending in -headless, "
                "means one of the stack's own programs, and its network policies would block this one; "
                "write host.namespace.svc"
            )
            for server in ("kafka:9092", "b-1.kafka-headless:9092")
        ],
    ),
    (
        {**cluster(), "kafka": {"copyTo": {"endpoint": "collector:4317"}}},
        [
            (
                "kafka.copyTo.endpoint: 'collector:4317': a name without a namespace, or ending in "
                "-headless, means one of the stack's own programs, and its network policies would block this "
                "one; write host.namespace.svc"
            )
        ],
    ),
    (
        {**cluster(), "kafka": {"version": "4.2.0"}},
        [
            (
                "kafka.version: '4.2.0': only for kafka.mode: strimzi; the stack's own brokers have the "
                "version of their image (images.overrides.kafka)"
            )
        ],
    ),
    *(
        (
            {**cluster(), "kafka": {"copyTo": {"endpoint": f"otel-gateway{end}.observability.svc:4317"}}},
            [f"kafka.copyTo.endpoint: 'otel-gateway{end}.observability.svc:4317': "],
        )
        for end in ("", "-external")
    ),
    (
        {**cluster(), "kafka": EXTERNAL},
        ["kafkaPassword: not set: "],
    ),
    (
        {**cluster(), "kafka": EXTERNAL, "kafkaPassword": ""},
        ["kafkaPassword: not set: "],
    ),
]
"""Settings that do not go together, and each line of what is said."""


def refusal(config: dict[str, Any]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.load(config)
    first, *lines = str(refused.value).splitlines()
    assert "wrong:" in first
    return [line.strip() for line in lines]


@pytest.mark.parametrize(("config", "lines"), TOGETHER, ids=[lines[0][:60] for _, lines in TOGETHER])
def test_settings_that_do_not_go_together(config: dict[str, Any], lines: list[str]) -> None:
    said = refusal(config)
    assert len(said) == len(lines)
    for expected, line in zip(lines, said, strict=True):
        assert line.startswith(expected) if expected.endswith(": ") else line == expected


def test_a_given_password_is_not_told() -> None:
    said = refusal({**rendered(), "kafka": EXTERNAL, "kafkaPassword": "hunter2"})
    assert "hunter2" not in "\n".join(said)


def test_mistakes_in_other_sections_are_told_as_well() -> None:
    said = refusal(
        {
            **exposed(type="Ingress"),
            "autoscaling": {"gateway": {"maximum": 0}},
            "kafka": {"mode": "strimzi", "bootstrapServers": ["b.example:9092"]},
        }
    )
    assert [line.split(": ")[0] for line in said] == [
        "autoscaling.gateway.maximum",
        "kafka.bootstrapServers",
        "kubernetes.exposure.otlpGrpcHost",
        "kubernetes.exposure.otlpHttpHost",
    ]


def test_a_load_balancer_has_both_ways_of_sending_under_one_name() -> None:
    host = "otlp.example.com"
    Settings.load(exposed(type="LoadBalancer", otlpGrpcHost=host, otlpHttpHost=host))
