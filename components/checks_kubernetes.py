"""What must hold between the settings of phases 3 and 4."""

from __future__ import annotations

from collections.abc import Iterator

from components.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE
from components.problems import Check, Problem
from components.settings_model import SettingsModel


def _cluster_is_named(settings: SettingsModel) -> Iterator[Problem]:
    section = settings.kubernetes
    if settings.phase < ON_KUBERNETES or section.render is not None:
        return
    for key, value, example in (
        ("kubeconfig", section.kubeconfig, "the path of a kubeconfig file"),
        ("context", section.context, "the name of a context in it (kubectl config get-contexts)"),
    ):
        if value is None:
            yield Problem(
                key=f"kubernetes.{key}",
                value=None,
                message=f"phase {settings.phase} needs {example}, or kubernetes.render for manifests only; "
                "what is in the environment is never used",
            )


def _exposure_is_whole(settings: SettingsModel) -> Iterator[Problem]:
    exposure = settings.kubernetes.exposure
    if exposure.type == "ClusterIP":
        return
    for key, value in (
        ("otlpGrpcHost", exposure.otlp_grpc_host),
        ("otlpHttpHost", exposure.otlp_http_host),
    ):
        if value is None:
            yield Problem(
                key=f"kubernetes.exposure.{key}",
                value=None,
                message=f"exposure.type: {exposure.type} needs the host name under which it is reached",
            )
    if exposure.type == "GatewayAPI" and exposure.gateway is None:
        yield Problem(
            key="kubernetes.exposure.gateway",
            value=None,
            message="exposure.type: GatewayAPI needs the name of a Gateway in the cluster",
        )
    if exposure.tls_secret is not None and exposure.type != "Ingress":
        yield Problem(
            key="kubernetes.exposure.tlsSecret",
            value=exposure.tls_secret,
            message="only an Ingress uses it; a Gateway's listeners and a cloud's load balancer have their "
            "own certificates (see exposure.annotations)",
        )


def _exposure_is_of_its_type(settings: SettingsModel) -> Iterator[Problem]:
    exposure = settings.kubernetes.exposure
    if exposure.gateway_listener is not None and exposure.type != "GatewayAPI":
        yield Problem(
            key="kubernetes.exposure.gatewayListener",
            value=exposure.gateway_listener,
            message=f"exposure.type: {exposure.type} has no Gateway; remove it, or set exposure.type: "
            "GatewayAPI",
        )
    if exposure.source_ranges and exposure.type != "LoadBalancer":
        yield Problem(
            key="kubernetes.exposure.sourceRanges",
            value=list(exposure.source_ranges),
            message=f"exposure.type: {exposure.type} has no load balancer of the stack's own; remove it and "
            "restrict what is in front of it, or set exposure.type: LoadBalancer",
        )


def _hosts_differ(settings: SettingsModel) -> Iterator[Problem]:
    exposure = settings.kubernetes.exposure
    if exposure.type not in ("Ingress", "GatewayAPI"):
        return
    taken: dict[str, str] = {}
    for key, host in (
        ("otlpGrpcHost", exposure.otlp_grpc_host),
        ("otlpHttpHost", exposure.otlp_http_host),
        ("grafanaHost", exposure.grafana_host),
    ):
        if host is None:
            continue
        first = taken.setdefault(host.lower(), key)
        if first != key:
            yield Problem(
                key=f"kubernetes.exposure.{key}",
                value=host,
                message=f"kubernetes.exposure.{first} is the same, and exposure.type: {exposure.type} tells "
                "them apart only by their hosts; give each its own",
            )


def _clients_can_be_told(settings: SettingsModel) -> Iterator[Problem]:
    section = settings.kubernetes
    if section.clients and section.exposure.type == "LoadBalancer":
        yield Problem(
            key="kubernetes.clients",
            value=dict(section.clients),
            message="connections of a load balancer come from no namespace, so this could not keep others "
            "out: remove it and restrict the load balancer (exposure.sourceRanges), or choose another "
            "exposure.type",
        )


def _api_and_names_have_ports(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse empty lists: a policy without ports would allow all of them."""
    section = settings.kubernetes
    for key, ports, message in (
        (
            "apiPorts",
            section.api_ports,
            "gateways and Prometheus query the API server; name its ports, or remove this for 443 and 6443",
        ),
        (
            "dnsPorts",
            section.dns_ports,
            "every program looks up names; name the ports of the cluster's DNS, or remove this for 53",
        ),
    ):
        if not ports:
            yield Problem(key=f"kubernetes.{key}", value=[], message=message)


def _rendering_has_no_secrets(settings: SettingsModel) -> Iterator[Problem]:
    section = settings.kubernetes
    if settings.phase < ON_KUBERNETES or section.render is None:
        return
    advice = (
        "manifests in Git must not hold secrets: name a Secret in the namespace, made by External Secrets, "
        "Sealed Secrets or by hand"
    )
    if section.existing_secrets.grafana is None:
        yield Problem(
            key="kubernetes.existingSecrets.grafana",
            value=None,
            message=f"{advice}, with the keys admin-password and secret-key",
        )
    if settings.kafka_password is not None:
        yield Problem(
            key="kafkaPassword",
            value="(secret)",
            message=f"{advice}, with the key password, in kubernetes.existingSecrets.kafka; remove this one",
        )
    postgres = settings.postgres
    is_made = settings.phase >= ON_OBJECT_STORAGE and postgres.mode == "builtin"
    if is_made and postgres.password_secret is None:
        yield Problem(
            key="postgres.passwordSecret",
            value=None,
            message=f"{advice}, with the key password",
        )
    if section.gitops.repository is None:
        yield Problem(
            key="kubernetes.gitops.repository",
            value=None,
            message="kubernetes.render needs the Git repository that Argo CD and Flux are to read",
        )


def _scaling_fits(settings: SettingsModel) -> Iterator[Problem]:
    for tier, section, size in (
        ("gateway", settings.autoscaling.gateway, settings.buffer.gateway),
        ("processor", settings.autoscaling.processor, settings.buffer.processor),
    ):
        if section.maximum is not None and section.maximum < size.replicas:
            yield Problem(
                key=f"autoscaling.{tier}.maximum",
                value=section.maximum,
                message=f"the sizing already runs {size.replicas}; raise it, or lower sizing.{tier}.replicas",
            )
    maximum, partitions = settings.autoscaling.processor.maximum, settings.buffer.partitions
    if maximum is not None and maximum > partitions:
        yield Problem(
            key="autoscaling.processor.maximum",
            value=maximum,
            message=f"only {partitions} processors get a partition (kafka.partitions); the others would idle",
        )


def _kafka_fits_platform(settings: SettingsModel) -> Iterator[Problem]:
    if settings.kafka.mode == "strimzi" and settings.phase < ON_KUBERNETES:
        yield Problem(
            key="kafka.mode",
            value="strimzi",
            message=f"Strimzi runs on Kubernetes, phase {ON_KUBERNETES}; phase {settings.phase} takes "
            "builtin or external",
        )
    if settings.kafka.version is not None and settings.kafka.mode != "strimzi":
        yield Problem(
            key="kafka.version",
            value=settings.kafka.version,
            message="only for kafka.mode: strimzi; the stack's own brokers have the version of their "
            "image (images.overrides.kafka)",
        )


def _brokers_have_whole_names(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse names that network policies take for the stack's own: short ones, or of a headless Service."""
    if settings.phase < ON_KUBERNETES or settings.kafka.mode != "external":
        return
    for server in settings.kafka.bootstrap_servers:
        host = server.rpartition(":")[0]
        if "." not in host or host.endswith("-headless"):
            yield Problem(
                key="kafka.bootstrapServers",
                value=server,
                message="a name without a namespace, or ending in -headless, means one of the stack's own "
                "brokers, and its network policies would block this one; write host.namespace.svc:port",
            )


KUBERNETES_CHECKS: tuple[Check, ...] = (
    Check(reads=("phase", "kubernetes"), run=_cluster_is_named),
    Check(reads=("kubernetes",), run=_exposure_is_whole),
    Check(reads=("kubernetes",), run=_exposure_is_of_its_type),
    Check(reads=("kubernetes",), run=_hosts_differ),
    Check(reads=("kubernetes",), run=_clients_can_be_told),
    Check(reads=("kubernetes",), run=_api_and_names_have_ports),
    Check(reads=("phase", "kubernetes", "kafkaPassword", "postgres"), run=_rendering_has_no_secrets),
    Check(reads=("sizing", "kafka", "sampling", "autoscaling"), run=_scaling_fits),
    Check(reads=("phase", "kafka"), run=_kafka_fits_platform),
    Check(reads=("phase", "kafka"), run=_brokers_have_whole_names),
)
