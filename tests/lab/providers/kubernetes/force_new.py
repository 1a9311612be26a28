"""Which properties of an object cannot change in place: the official plugin's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.lab.providers.kubernetes.kinds import Kind
from tests.lab.providers.kubernetes.settings import Settings

Path = Sequence[str | int]

_IDENTITY = ("metadata.name", "metadata.namespace")

# fmt: off
_CONTAINER = (
    "args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports",
    "readinessProbe", "resources", "securityContext", "stdin", "stdinOnce", "terminationMessagePath",
    "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir",
)

_POD = (
    "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks",
    "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName",
    "nodeSelector", "overhead", "preemptionPolicy", "priority", "priorityClassName", "readinessGates",
    "restartPolicy", "runtimeClassName", "schedulerName", "securityContext", "serviceAccount",
    "serviceAccountName", "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds",
    "volumes",
)

_VOLUME = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume",
    "flocker", "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs",
    "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
)
# fmt: on

_TABLE: Mapping[tuple[str, str], Sequence[str]] = {
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("", "PersistentVolume"): tuple(f"spec.{name}" for name in _VOLUME),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Pod"): (
        *(f"spec.{name}" for name in _POD),
        *(f"spec.{list_}.*.{name}" for list_ in ("containers", "initContainers") for name in _CONTAINER),
    ),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
}


def force_new(kind: Kind, inputs: Mapping[str, Any], settings: Settings) -> tuple[str, ...]:
    """The paths of an object whose change replaces it; ``*`` stands for any item of a list."""
    identity = (kind.group, kind.name)
    frozen = inputs.get("immutable") is True
    if identity == ("", "Secret") and (frozen or not settings.secrets_mutable):
        return (*_IDENTITY, "type", "stringData", "data")
    if identity == ("", "ConfigMap") and (frozen or not settings.config_maps_mutable):
        return (*_IDENTITY, "binaryData", "data")
    return (*_IDENTITY, *_TABLE.get(identity, ()))


def replaces(patterns: Sequence[str], path: Path, value: object) -> bool:
    """True when a change at ``path`` to ``value`` touches what one of the patterns names."""
    return any(_touches(pattern.split("."), path, value) for pattern in patterns)


def _touches(pattern: Sequence[str], path: Path, value: object) -> bool:
    for step, place in zip(pattern, path, strict=False):
        if step != place and not (step == "*" and isinstance(place, int)):
            return False
    return _has(pattern[len(path) :], value)


def _has(pattern: Sequence[str], value: object) -> bool:
    """True when the rest of a pattern leads to something inside the value."""
    if not pattern:
        return True
    if pattern[0] == "*":
        return isinstance(value, list) and any(_has(pattern[1:], item) for item in value)
    return isinstance(value, dict) and pattern[0] in value and _has(pattern[1:], value[pattern[0]])
