"""Every mistake in the settings of phase 3 is told with key, value and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import Settings
from components.settings_errors import SettingsError
from tests.support.variants import CLUSTER_VARIANTS

CLUSTER = {"kubeconfig": "~/.kube/config", "context": "main"}
HOSTS = {"otlpGrpcHost": "grpc.example.com", "otlpHttpHost": "http.example.com"}
GIT = {"repository": "https://git.example.com/deploy.git"}
OWN_SECRETS = {"grafana": "grafana-secrets"}
SASL = {"mechanism": "SCRAM-SHA-512", "username": "otel"}
BUCKETS = {
    "provider": "s3",
    "bucketPrefix": "acme",
    "s3": {"endpoint": "s3.example.com", "credentialsSecret": "object-storage"},
}
EXTERNAL = {"mode": "external", "bootstrapServers": ["b.example:9096"], "security": SASL}
NO_SECRETS = (
    "manifests in Git must not hold secrets: name a Secret of the namespace that External Secrets, Sealed "
    "Secrets or somebody by hand makes"
)
ENVIRONMENT = "or kubernetes.render for manifests only; what is in the environment is never used"


def cluster(**fields: Any) -> dict[str, Any]:
    return {"phase": 3, "kubernetes": {**CLUSTER, **fields}}


def exposed(**fields: Any) -> dict[str, Any]:
    return cluster(exposure=fields)


def rendered(**fields: Any) -> dict[str, Any]:
    return {
        "phase": 3,
        "kubernetes": {"render": "out", "existingSecrets": OWN_SECRETS, "gitops": GIT, **fields},
    }


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
                "kubernetes.exposure.tlsSecret: 'tls': only an Ingress takes it; a Gateway's listeners and a "
                "cloud's load balancer have their own certificates (see exposure.annotations)"
            )
        ],
    ),
    *(
        (
            exposed(type=kind, gatewayListener="https", **HOSTS),
            [
                (
                    f"kubernetes.exposure.gatewayListener: 'https': exposure.type: {kind} has no Gateway; "
                    "remove it, or set exposure.type: GatewayAPI"
                )
            ],
        )
        for kind in ("ClusterIP", "LoadBalancer", "Ingress")
    ),
    *(
        (
            exposed(type=kind, gateway="public", sourceRanges=["192.0.2.0/24"], **HOSTS),
            [
                (
                    f"kubernetes.exposure.sourceRanges: ['192.0.2.0/24']: exposure.type: {kind} has no load "
                    "balancer of the stack's own; remove it and restrict what stands before it, or set "
                    "exposure.type: LoadBalancer"
                )
            ],
        )
        for kind in ("ClusterIP", "Ingress", "GatewayAPI")
    ),
    (
        exposed(
            type="GatewayAPI",
            gateway="public",
            otlpGrpcHost="otlp.example.com",
            otlpHttpHost="OTLP.example.com",
            grafanaHost="otlp.example.com",
        ),
        [
            (
                f"kubernetes.exposure.{key}: '{host}': kubernetes.exposure.otlpGrpcHost is the same, and "
                "exposure.type: GatewayAPI tells them apart by their hosts alone; give each its own"
            )
            for key, host in (("otlpHttpHost", "OTLP.example.com"), ("grafanaHost", "otlp.example.com"))
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
                "kubernetes.apiPorts: []: gateways and Prometheus ask the API server; name its ports, or "
                "remove this for 443 and 6443"
            )
        ],
    ),
    (
        cluster(dnsPorts=[]),
        [
            (
                "kubernetes.dnsPorts: []: every program asks for names; name the ports of the cluster's DNS, "
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
                "Git must not hold secrets, so name one of the namespace with the key password"
            )
        ],
    ),
    (
        {**rendered(), "phase": 4, "objectStorage": BUCKETS},
        [f"postgres.passwordSecret: not set: {NO_SECRETS}, with the key password"],
    ),
    (
        rendered(gitops={}),
        [
            (
                "kubernetes.gitops.repository: not set: kubernetes.render needs the Git repository that "
                "Argo CD and Flux are to read"
            )
        ],
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
                f"kafka.bootstrapServers: '{server}': a name without a namespace, or that ends in -headless, "
                "means a broker of the stack's own, and its network policies would block this one; "
                "write host.namespace.svc:port"
            )
            for server in ("kafka:9092", "b-1.kafka-headless:9092")
        ],
    ),
    (
        {**cluster(), "kafka": {"version": "4.2.0"}},
        [
            (
                "kafka.version: '4.2.0': only for kafka.mode: strimzi; brokers of the stack's own have the "
                "version of their image (images.overrides.kafka)"
            )
        ],
    ),
    (
        {**cluster(), "kafka": EXTERNAL},
        ["kafkaPassword: not set: "],
    ),
]
"""Settings that do not go together, and each line of what is said."""

ALONE: list[tuple[dict[str, Any], str]] = [
    (cluster(contxt="main"), r"kubernetes\.contxt: 'main': unknown key; did you mean context\?"),
    (exposed(typ="Ingress"), r"kubernetes\.exposure\.typ: .*did you mean type\?"),
    (cluster(existingSecrets={"grafanas": "x"}), r"existingSecrets\.grafanas: .*did you mean grafana\?"),
    (cluster(gitops={"branch": "x"}), r"kubernetes\.gitops\.branch: 'x': unknown key; .*revision"),
    (cluster(tolerations=[{"kee": "x"}]), r"kubernetes\.tolerations\.0\.kee: 'x': unknown key; .*key"),
    (
        {"phase": 3, "autoscaling": {"gateway": {"minimum": 2}}},
        r"autoscaling\.gateway\.minimum: 2: unknown key; did you mean maximum\?",
    ),
    (cluster(kubeconfig=7), r"kubernetes\.kubeconfig: 7: must be a valid string"),
    (cluster(kubeconfig=" x "), r"kubernetes\.kubeconfig: ' x ': write the path of a file or folder"),
    (cluster(context=""), r"kubernetes\.context: '': .*at least 1 character"),
    (cluster(namespace="Observability"), r"kubernetes\.namespace: 'Observability': write a namespace: up to"),
    (cluster(namespace="a.b"), r"kubernetes\.namespace: 'a\.b': write a namespace: up to 63"),
    (cluster(storageClass="Fast"), r"kubernetes\.storageClass: 'Fast': write a Kubernetes name"),
    (cluster(nodeSelector=["x"]), r"kubernetes\.nodeSelector: \['x'\]: must be a map"),
    (cluster(nodeSelector={"pool": 1}), r"kubernetes\.nodeSelector\.pool: 1: must be a valid string"),
    (cluster(labels={"-team": "x"}), r"kubernetes\.labels.*write a label's key, such as example\.com/team"),
    (cluster(labels={"team": "a b"}), r"kubernetes\.labels\.team: 'a b': write a label's value"),
    (cluster(labels={"team": "x" * 64}), r"kubernetes\.labels\.team: .*up to 63 letters"),
    (cluster(clients={"team": "x" * 64}), r"kubernetes\.clients\.team: .*up to 63 letters"),
    (
        cluster(tolerations=[{"operator": "Equals"}]),
        r"tolerations\.0\.operator: 'Equals': choose 'Exists' or 'Equal'",
    ),
    (cluster(tolerations=[{"effect": "No"}]), r"tolerations\.0\.effect: 'No': choose 'NoSchedule', "),
    (cluster(tolerations={"key": "x"}), r"kubernetes\.tolerations: \{'key': 'x'\}: must be a list"),
    (cluster(apiPorts=[0]), r"kubernetes\.apiPorts\.0: 0: must be greater than or equal to 1"),
    (cluster(dnsPorts=[70000]), r"kubernetes\.dnsPorts\.0: 70000: must be less than or equal to 65535"),
    (cluster(egressPorts=["https"]), r"kubernetes\.egressPorts\.0: 'https': must be a valid integer"),
    (cluster(apiPorts=16443), r"kubernetes\.apiPorts: 16443: must be a list"),
    (cluster(spread="always"), r"kubernetes\.spread: 'always': choose 'required', 'zones' or 'preferred'"),
    (cluster(priorityClass="A B"), r"kubernetes\.priorityClass: 'A B': write a Kubernetes name"),
    (cluster(imagePullSecrets=["A"]), r"kubernetes\.imagePullSecrets\.0: 'A': write a Kubernetes name"),
    (cluster(imagePullSecrets="a"), r"kubernetes\.imagePullSecrets: 'a': must be a list"),
    (exposed(type="NodePort"), r"exposure\.type: 'NodePort': choose 'ClusterIP', 'LoadBalancer', 'Ingress'"),
    (exposed(otlpGrpcHost="https://x.example"), r"exposure\.otlpGrpcHost: .*write a host name or address"),
    (exposed(gatewayListener="HTTPS"), r"exposure\.gatewayListener: 'HTTPS': write a Kubernetes name"),
    (exposed(sourceRanges="192.0.2.0/24"), r"exposure\.sourceRanges: '192\.0\.2\.0/24': must be a list"),
    (exposed(sourceRanges=["example.com"]), r"sourceRanges\.0: 'example\.com': write a network, such as 192"),
    (exposed(sourceRanges=["192.0.2.0/33"]), r"sourceRanges\.0: '192\.0\.2\.0/33': write a network, such as"),
    (exposed(sourceRanges=["192.0.2.7/24"]), r"sourceRanges\.0: '192\.0\.2\.7/24': write 192\.0\.2\.0/24, "),
    (exposed(sourceRanges=["192.0.2.7"]), r"sourceRanges\.0: '192\.0\.2\.7': write 192\.0\.2\.7/32, the "),
    (exposed(className="a b"), r"exposure\.className: 'a b': write a class, such as nginx or service\."),
    (exposed(annotations={"a/b/c": "x"}), r"exposure\.annotations.*write a label's key"),
    (
        {**cluster(), "kafka": {"version": "4.2"}},
        r"kafka\.version: '4\.2': write a version of Kafka, such as",
    ),
    (cluster(monitoring="datadog"), r"monitoring: 'datadog': choose 'annotations' or 'prometheus-operator'"),
    *(
        (
            cluster(gitops={"repository": address}),
            r"gitops\.repository: '.*': write https://host/org/repo\.git, ssh",
        )
        for address in ("git.example.com/a/b", "git@host", "ssh://host/a/b", "ssh://git@host:a/b.git")
    ),
    (cluster(gitops={"secret": "A"}), r"gitops\.secret: 'A': write a Kubernetes name"),
    (cluster(gitops={"argoProject": "A"}), r"gitops\.argoProject: 'A': write a Kubernetes name"),
    (cluster(gitops={"interval": "soon"}), r"gitops\.interval: 'soon': write a duration, such as 10m"),
    ({"phase": 3, "autoscaling": {"lag": "kafka"}}, r"autoscaling\.lag: 'kafka': choose 'keda'"),
    ({"phase": 3, "autoscaling": {"lagThreshold": 0}}, r"autoscaling\.lagThreshold: 0: must be greater"),
    (
        {"phase": 3, "autoscaling": {"gateway": {"maximum": 1}}},
        r"autoscaling\.gateway\.maximum: 1: must be greater than or equal to 2",
    ),
    (
        {"phase": 3, "autoscaling": {"processor": {"cpuPercent": 101}}},
        r"autoscaling\.processor\.cpuPercent: 101: must be less than or equal to 100",
    ),
    (
        {"phase": 3, "autoscaling": {"gateway": {"cpuPercent": "70%"}}},
        r"autoscaling\.gateway\.cpuPercent: '70%': must be a valid integer",
    ),
]
"""Single settings of a wrong name, kind or form, and a part of what is said."""


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


@pytest.mark.parametrize(("config", "message"), ALONE, ids=[message[:60] for _, message in ALONE])
def test_single_settings(config: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load(config)


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


@pytest.mark.parametrize("name", CLUSTER_VARIANTS)
def test_variants_are_accepted_and_written_out_again(name: str) -> None:
    settings = Settings.load(CLUSTER_VARIANTS[name])
    assert settings.phase == 3
    assert Settings.load(settings.dump()) == settings


def test_rendering_needs_no_cluster() -> None:
    assert Settings.load(rendered()).kubernetes.kubeconfig is None


def test_everything_set_leaves_out_no_setting_of_the_cluster() -> None:
    """Each setting of the two sections is used by some variant, so no rule is tried on defaults alone."""

    def used(section: dict[str, Any], path: str) -> set[str]:
        found: set[str] = set()
        for key, value in section.items():
            nested = isinstance(value, dict) and key in NESTED
            found |= used(value, f"{path}.{key}") if nested else {f"{path}.{key}"}
        return found

    variants = CLUSTER_VARIANTS.values()
    given = {
        key
        for config in variants
        for part in ("kubernetes", "autoscaling")
        for key in used(config.get(part, {}), part)
    }
    assert given == set(settings_of("kubernetes")) | set(settings_of("autoscaling"))


NESTED = ("exposure", "existingSecrets", "gitops", "gateway", "processor")


def settings_of(section: str) -> list[str]:
    """Every key of a section, dotted, as the schema names it."""
    schema = Settings.json_schema()
    definitions = schema["$defs"]

    def keys(name: str, path: str) -> list[str]:
        found: list[str] = []
        for key, value in definitions[name]["properties"].items():
            reference = str(value.get("$ref", "")).rpartition("/")[2]
            found += keys(reference, f"{path}.{key}") if reference in definitions else [f"{path}.{key}"]
        return found

    top = str(schema["properties"][section]["$ref"]).rpartition("/")[2]
    return keys(top, section)


def test_a_load_balancer_has_both_ways_of_sending_under_one_name() -> None:
    host = "otlp.example.com"
    Settings.load(exposed(type="LoadBalancer", otlpGrpcHost=host, otlpHttpHost=host))
