"""What must hold before a stack can be brought up on a cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from components.alerts.contact_points import KEYS
from components.buckets.names import credentials_secrets
from components.grafana_ha import SECRET_KEY
from components.platform.manifests.config import key as config_key
from components.platform.manifests.scope import NAME, PART_OF, STACK
from components.sections.phase_numbers import ON_OBJECT_STORAGE
from components.settings import Settings
from ops.errors import OpsError
from ops.finding import Finding
from ops.kubernetes.gateway import check_gateway
from ops.kubernetes.kubectl import REQUEST_TIMEOUT, Kubectl, KubectlError, kubectl_of
from ops.kubernetes.owner import check_namespace
from ops.kubernetes.replicas import check_peers
from ops.kubernetes.rights import check_rights, chosen_kinds
from ops.project import Stack

MINIMUM_SERVER = (1, 32)
"""First release that serves all that the stack uses without a feature gate: pod-index labels and ordinals of
StatefulSets, the sleep hook before a stop."""

STUCK_FROM, STUCK_UNTIL = (1, 35, 0), (1, 35, 4)
"""Releases whose StatefulSets count pods of an old, broken version among those that may be unavailable."""

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
METRICS = "metrics.k8s.io/v1beta1"
INSTALLED_BY = {
    "gateway.networking.k8s.io": "the Gateway API (standard channel, 1.1 or newer)",
    "monitoring.coreos.com": "prometheus-operator",
    "keda.sh": "KEDA",
    "kafka.strimzi.io": "Strimzi",
}

_START_LAB = "the closed-network lab's own cluster is started by: make cluster"


def check_cluster(stack: Stack, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check everything in turn; leave out what depends on a failed check, and report what is forbidden."""
    try:
        kubectl = kubectl_of(stack, environ)
    except OpsError as error:
        yield Finding(name="kubectl", status="fail", found=error.message, advice=error.advice)
        return
    context = check_context(kubectl.kubeconfig, kubectl.context)
    yield context
    if context.status == "fail":
        return
    server = check_server(kubectl)
    yield server
    if server.status == "fail":
        return
    yield from _guarded("namespace", lambda *_: check_namespace(kubectl, stack), kubectl, stack.settings)
    for name, check in _CHECKS.items():
        yield from _guarded(name, check, kubectl, stack.settings)


def check_context(kubeconfig: Path, context: str) -> Finding:
    """Is there such a file, and such a context in it?"""
    name, found = "kubeconfig", f"context {context} of {kubeconfig}"
    try:
        content = yaml.safe_load(kubeconfig.read_text())
    except (OSError, yaml.YAMLError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not YAML"
        advice = f"set kubernetes.kubeconfig to a file that exists; {_START_LAB}"
        return Finding(name=name, status="fail", found=f"{kubeconfig}: {why}", advice=advice)
    contexts = content.get("contexts") or [] if isinstance(content, dict) else []
    names = [str(one.get("name")) for one in contexts]
    if context not in names:
        there = ", ".join(names) or "none"
        advice = f"set kubernetes.context to one of: {there}"
        return Finding(
            name=name, status="fail", found=f"{kubeconfig} has no context {context}", advice=advice
        )
    return Finding(name=name, found=found)


def check_server(kubectl: Kubectl) -> Finding:
    """Does the API server answer, and is it new enough?"""
    name = "Kubernetes API"
    try:
        said = json.loads(kubectl.run("version", REQUEST_TIMEOUT, "--output=json"))["serverVersion"]
    except KubectlError as error:
        advice = f"{kubectl.typed('version')} says more; {_START_LAB}"
        return Finding(name=name, status="fail", found=error.message, advice=advice)
    version = tuple(int(re.sub(r"\D.*", "", said[part])) for part in ("major", "minor"))
    if version < MINIMUM_SERVER:
        oldest = ".".join(map(str, MINIMUM_SERVER))
        advice = f"upgrade the cluster to Kubernetes {oldest} or newer"
        return Finding(name=name, status="fail", found=said["gitVersion"], advice=advice)
    patch = re.match(r"v(\d+)\.(\d+)\.(\d+)", said["gitVersion"])
    if patch is not None and STUCK_FROM <= tuple(map(int, patch.groups())) < STUCK_UNTIL:
        advice = (
            f"upgrade to {'.'.join(map(str, STUCK_UNTIL))} or newer: before, a StatefulSet whose first pods "
            "never became ready is not replaced by a version that would (kubernetes/kubernetes#137409)"
        )
        return Finding(name=name, status="warn", found=said["gitVersion"], advice=advice)
    return Finding(name=name, found=said["gitVersion"])


def _rights(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    yield check_rights(kubectl, settings)


def check_storage(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Is there a class for the volumes?

    Raises:
        KubectlError: the API server did not say.
    """
    classes = kubectl.objects("storageclasses")
    names = [one["metadata"]["name"] for one in classes]
    wanted = settings.kubernetes.storage_class
    default = [one["metadata"]["name"] for one in classes if _annotation(one, DEFAULT_CLASS) == "true"]
    if wanted in names or (wanted is None and default):
        yield Finding(name="StorageClass", found=wanted or f"{default[0]}, the default")
        return
    found = f"no class {wanted}" if wanted else "none is the default"
    advice = f"set kubernetes.storageClass to one of: {', '.join(names) or '(there are none: install one)'}"
    yield Finding(name="StorageClass", status="fail", found=found, advice=advice)


def check_named(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Does every cluster-wide object that the settings name exist?

    Raises:
        KubectlError: the API server did not say.
    """
    section = settings.kubernetes
    is_ingress = section.exposure.type == "Ingress"
    for kind, name, key in (
        ("PriorityClass", section.priority_class, "kubernetes.priorityClass"),
        (
            "ingressclass",
            section.exposure.class_name if is_ingress else None,
            "kubernetes.exposure.className",
        ),
    ):
        if name is not None and kubectl.exists(kind.lower(), name):
            yield Finding(name=kind, found=name)
        elif name is not None:
            advice = f"create it, or set {key} to one that exists: {kubectl.typed('get', kind.lower())}"
            yield Finding(name=kind, status="fail", found=f"no {name}", advice=advice)


def check_secrets(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Does every Secret that the settings name exist, with its keys? Values are not looked at.

    Raises:
        KubectlError: the API server did not say.
    """
    for name, keys, setting in dict.fromkeys(_wanted_secrets(settings)):
        try:
            present = set(kubectl.json("get", "secret", name).get("data") or {})
        except KubectlError as error:
            if not error.absent:
                raise
            advice = f"{setting} names it; it must be in namespace {kubectl.namespace} before the stack is"
            yield Finding(name=f"Secret {name}", status="fail", found="there is none", advice=advice)
            continue
        missing = [key for key in keys if key not in present]
        if missing:
            found, advice = f"lacks {', '.join(missing)}", f"{setting} needs the keys {', '.join(keys)}"
            yield Finding(name=f"Secret {name}", status="fail", found=found, advice=advice)
        else:
            yield Finding(name=f"Secret {name}", found=", ".join(keys))


def check_key(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Has the Secret that replaces the stack's own the same key, which Grafana's data needs?

    Raises:
        KubectlError: the API server did not say.
    """
    name, key = settings.kubernetes.existing_secrets.grafana, SECRET_KEY.rpartition("/")[2]
    if name is None:
        return
    own = kubectl.objects("secrets", f"--selector={NAME}=grafana,{PART_OF}={STACK}")
    kept = {(one.get("data") or {}).get(config_key(SECRET_KEY)): one["metadata"]["name"] for one in own}
    kept.pop(None, None)
    if not kept or not kubectl.exists("secret", name):
        return
    if (kubectl.json("get", "secret", name).get("data") or {}).get(key) not in kept:
        advice = (
            f"what Grafana has encrypted opens with the old one: copy {key} and admin-password from the "
            "running pod, as docs/kubernetes.md says; or delete the old Secret, if nothing of it is needed"
        )
        found = f"a different {key} from that of {', '.join(kept.values())}"
        yield Finding(name="Grafana's key", status="fail", found=found, advice=advice)


def check_kinds(kubectl: Kubectl, settings: Settings) -> Iterator[Finding]:
    """Does the cluster have the kinds of other projects that the settings use?

    Raises:
        KubectlError: the API server did not say.
    """
    for version, kinds in chosen_kinds(settings).items():
        lacking = [kind for kind in kinds if kind not in served_kinds(kubectl, version)]
        if lacking:
            advice = f"install {INSTALLED_BY[version.partition('/')[0]]}, or change the setting"
            found = f"no {', '.join(lacking)}"
            yield Finding(name=version, status="fail", found=found, advice=advice)
        else:
            yield Finding(name=version, found=", ".join(kinds))


def check_metrics(kubectl: Kubectl, _settings: Settings) -> Iterator[Finding]:
    """Does the cluster serve what the autoscalers read?

    Raises:
        KubectlError: the API server did not say.
    """
    if served_kinds(kubectl, METRICS):
        yield Finding(name="metrics API", found=METRICS)
    else:
        advice = "install metrics-server; until then the number of gateways and processors stays as it is"
        yield Finding(name="metrics API", status="warn", found=f"no {METRICS}", advice=advice)


def served_kinds(kubectl: Kubectl, version: str) -> set[str]:
    """Plural names of the kinds that an API version has; none when it is not there.

    Raises:
        KubectlError: the API server did not say.
    """
    try:
        listed = json.loads(kubectl.run("get", "--raw", f"/apis/{version}", REQUEST_TIMEOUT))
    except KubectlError as error:
        if error.absent:
            return set()
        raise
    return {str(one["name"]) for one in listed["resources"]}


WantedSecret = tuple[str, tuple[str, ...], str]
"""Name, keys, and the setting that names it."""


def _wanted_secrets(settings: Settings) -> Iterator[WantedSecret]:
    section = settings.kubernetes
    existing, tls = section.existing_secrets, section.exposure.tls_secret
    if existing.grafana is not None:
        yield existing.grafana, ("admin-password", "secret-key"), "kubernetes.existingSecrets.grafana"
    if existing.kafka is not None:
        yield existing.kafka, ("password",), "kubernetes.existingSecrets.kafka"
    if existing.kafka_ca is not None:
        yield existing.kafka_ca, ("ca.crt",), "kubernetes.existingSecrets.kafkaCa"
    if tls is not None:
        yield tls, ("tls.crt", "tls.key"), "kubernetes.exposure.tlsSecret"
    for name in section.image_pull_secrets:
        yield name, (".dockerconfigjson",), "kubernetes.imagePullSecrets"
    if settings.phase >= ON_OBJECT_STORAGE:
        yield from _wanted_by_stores(settings)


def _wanted_by_stores(settings: Settings) -> Iterator[WantedSecret]:
    storage, postgres, oidc = settings.object_storage, settings.postgres, settings.grafana.oidc
    if storage.provider == "s3":
        own = storage.s3.store_secrets
        for store, name in credentials_secrets(storage.s3).items():
            setting = f"storeSecrets.{store}" if getattr(own, store) else "credentialsSecret"
            yield name, ("credentials",), f"objectStorage.s3.{setting}"
        if storage.s3.ca_secret is not None:
            yield storage.s3.ca_secret, ("ca.crt",), "objectStorage.s3.caSecret"
    if postgres.password_secret is not None:
        yield postgres.password_secret, ("password",), "postgres.passwordSecret"
    if postgres.ca_secret is not None:
        yield postgres.ca_secret, ("ca.crt",), "postgres.caSecret"
    if oidc is not None:
        yield oidc.client_secret, ("client-secret",), "grafana.oidc.clientSecret"
    for point in settings.alerting.contact_points:
        yield point.secret, (KEYS[point.type],), "alerting.contactPoints"


def _annotation(found: Mapping[str, Any], name: str) -> str:
    return str((found["metadata"].get("annotations") or {}).get(name, ""))


def _reading(error: KubectlError) -> str:
    return _START_LAB if error.away else "not checked; have somebody who may read it look before you go on"


Check = Callable[[Kubectl, Settings], Iterator[Finding]]


def _guarded(name: str, check: Check, kubectl: Kubectl, settings: Settings) -> list[Finding]:
    try:
        return list(check(kubectl, settings))
    except KubectlError as error:
        status: Literal["fail", "warn"] = "fail" if error.away else "warn"
        return [Finding(name=name, status=status, found=error.message, advice=_reading(error))]


_CHECKS: Mapping[str, Check] = {
    "rights": _rights,
    "replicas": check_peers,
    "StorageClass": check_storage,
    "named objects": check_named,
    "Secrets": check_secrets,
    "Grafana's key": check_key,
    "kinds": check_kinds,
    "Gateway": check_gateway,
    "metrics API": check_metrics,
}
