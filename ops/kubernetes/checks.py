"""What must hold before a stack can be brought up on a cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from components.settings import Settings
from ops.errors import OpsError
from ops.finding import Finding
from ops.kubernetes.existing_secrets import check_grafana_key, check_secrets
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
    "Grafana's key": check_grafana_key,
    "kinds": check_kinds,
    "Gateway": check_gateway,
    "metrics API": check_metrics,
}
