"""What must hold between the settings of phases 3 and 4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from urllib.parse import urlsplit

from components.sections.kubernetes import Toleration
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE
from components.settings.checks.exposure import EXPOSURE_CHECKS
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem


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


def _namespace_is_its_own(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse namespaces of others: policies deny everything in the stack's, and pods are confined there."""
    section = settings.kubernetes
    taken = {"default": "every cluster's own"}
    if section.monitoring == "prometheus-operator":
        taken[section.monitoring_namespace] = "kubernetes.monitoringNamespace"
    if settings.autoscaling.lag == "keda":
        taken[settings.autoscaling.keda_namespace] = "autoscaling.kedaNamespace"
    whose = "Kubernetes' own" if section.namespace.startswith("kube-") else taken.get(section.namespace)
    if whose is not None:
        yield Problem(
            key="kubernetes.namespace",
            value=section.namespace,
            message=f"{whose}; the stack denies all connections in its namespace that it does not make, and "
            "confines the pods there: choose one for the stack alone, such as observability",
        )


def _tolerations_are_whole(settings: SettingsModel) -> Iterator[Problem]:
    for index, one in enumerate(settings.kubernetes.tolerations):
        wrong = None
        if one.operator == "Exists" and one.value is not None:
            wrong = "Exists takes no value: remove it, or the operator"
        elif one.key is None and (one.operator == "Equal" or one.value is not None):
            wrong = "a value needs the key of its taint"
        elif one.operator == "Equal" and one.value is None:
            wrong = "Equal needs a value; an empty one is ''"
        if wrong is not None:
            yield Problem(key=f"kubernetes.tolerations.{index}", value=_given(one), message=wrong)


def _given(toleration: Toleration) -> dict[str, str]:
    return {key: value for key, value in asdict(toleration).items() if value is not None}


def _folder_is_in_the_repository(settings: SettingsModel) -> Iterator[Problem]:
    path = settings.kubernetes.gitops.path
    if path is not None and (path.startswith("/") or path.endswith("/") or ".." in path.split("/")):
        yield Problem(
            key="kubernetes.gitops.path",
            value=path,
            message="write the folder as seen from the repository's root, such as deploy/prod",
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


def _others_have_whole_names(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse names that network policies take for the stack's own: short ones, or of a headless Service."""
    if settings.phase < ON_KUBERNETES:
        return
    for key, value in _addresses_of_others(settings):
        host = urlsplit(value if "//" in value else f"//{value}").hostname or ""
        if "." not in host or host.endswith("-headless"):
            yield Problem(
                key=key,
                value=value,
                message="a name without a namespace, or ending in -headless, means one of the stack's own "
                "programs, and its network policies would block this one; write host.namespace.svc",
            )


def _addresses_of_others(settings: SettingsModel) -> Iterator[tuple[str, str]]:
    """Return what the stack's programs call outside its namespace, with the setting that names it."""
    kafka, postgres, storage = settings.kafka, settings.postgres, settings.object_storage
    if kafka.mode == "external":
        yield from (("kafka.bootstrapServers", server) for server in kafka.bootstrap_servers)
    if kafka.copy_to is not None:
        yield "kafka.copyTo.endpoint", kafka.copy_to.endpoint
    if settings.phase < ON_OBJECT_STORAGE:
        yield from (("alerting.alertmanagers", url) for url in settings.alerting.alertmanagers)
        return
    if storage.provider == "s3" and storage.s3.endpoint is not None:
        yield "objectStorage.s3.endpoint", storage.s3.endpoint
    if postgres.mode == "external" and postgres.host is not None:
        yield "postgres.host", postgres.host
    if settings.alerting.smtp is not None:
        yield "alerting.smtp.host", settings.alerting.smtp.host
    if settings.grafana.profiles_url is not None:
        yield "grafana.profilesUrl", settings.grafana.profiles_url
    if settings.grafana.oidc is not None:
        yield "grafana.oidc.tokenUrl", settings.grafana.oidc.token_url
        yield "grafana.oidc.apiUrl", settings.grafana.oidc.api_url


KUBERNETES_CHECKS: tuple[Check, ...] = (
    Check(reads=("phase", "kubernetes"), run=_cluster_is_named),
    *EXPOSURE_CHECKS,
    Check(reads=("kubernetes", "autoscaling"), run=_namespace_is_its_own),
    Check(reads=("kubernetes",), run=_tolerations_are_whole),
    Check(reads=("kubernetes",), run=_folder_is_in_the_repository),
    Check(reads=("kubernetes",), run=_api_and_names_have_ports),
    Check(reads=("phase", "kubernetes", "kafkaPassword", "postgres"), run=_rendering_has_no_secrets),
    Check(reads=("sizing", "kafka", "sampling", "autoscaling"), run=_scaling_fits),
    Check(reads=("phase", "kafka"), run=_kafka_fits_platform),
    Check(
        reads=("phase", "kafka", "objectStorage", "postgres", "grafana", "alerting"),
        run=_others_have_whole_names,
    ),
)
