"""What all objects of a stack share: namespace, labels, names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.platform.digest import digest
from components.sections.kubernetes import KubernetesSection

NAME, PART_OF = "app.kubernetes.io/name", "app.kubernetes.io/part-of"
STACK = "otel-stack"
OWNER = "otel-stack.io/owner"
"""Annotation of the namespace: its owning stack. Not a label, as stack names may be longer than those."""

FIELD_MANAGER = "pulumi.com/patchFieldManager"
"""Annotation of the namespace: under which name the provider applies its fields; see ``field_manager``."""

_LONGEST_MANAGER = 128
"""Characters of a field manager's name that the API server takes, at most."""

_HASH_DIGITS = 16

MANIFESTS, FIRST_APPLIED = "manifests", "0-namespace"
"""Folders of a rendering: of all objects, and in it that of the namespace. ``kubectl apply`` takes files by
name; of the folders that the plugin makes, ``0-crd`` and ``1-manifest``, the latter would have the namespace
after its workloads."""

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One stack in one namespace.

    Attributes:
        section: settings of the cluster.
        environment: name of the environment.
        keda_namespace: namespace of KEDA.
        reserved_cpu: fraction of the CPU limits that pods request, from 0 to 1.
    """

    section: KubernetesSection
    environment: str
    keda_namespace: str
    reserved_cpu: float

    @property
    def namespace(self) -> str:
        """The namespace of every object that has one."""
        return self.section.namespace

    def labels(self, name: str) -> dict[str, str]:
        """Return the labels of everything that belongs to a workload."""
        own = {
            **selector(name),
            "app.kubernetes.io/instance": self.environment,
            "app.kubernetes.io/managed-by": "pulumi",
        }
        return {**self.section.labels, **own}

    def metadata(
        self,
        workload: str,
        *,
        name: str | None = None,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
        labels: Mapping[str, str] | None = None,
        autonamed: bool = False,
        cluster_wide: bool = False,
    ) -> Manifest:
        """Return an object's metadata; without a name it has the workload's, or the provider makes one."""
        found: Manifest = {"labels": {**self.labels(workload), **(labels or {})}}
        if not autonamed:
            found["name"] = name or workload
        if not cluster_wide:
            found["namespace"] = self.namespace
        if annotations:
            found["annotations"] = dict(annotations)
        return found


def owner(project: str, stack: str) -> str:
    """Name a stack as the owner of its namespace."""
    return f"{project}/{stack}"


def field_manager(project: str, stack: str) -> str:
    """Name a stack as the owner of fields of what outlives its state.

    The provider would draw another name after every ``down``, whose changes would then be in conflict with
    what the stack itself has set before.
    """
    name = owner(project, stack)
    if len(name) <= _LONGEST_MANAGER:
        return name
    return f"{name[: _LONGEST_MANAGER - _HASH_DIGITS - 1]}-{digest({}, _HASH_DIGITS, name)}"


def selector(name: str) -> dict[str, str]:
    """Return the labels that select a workload's pods; they never change."""
    return {NAME: name, PART_OF: STACK}


def text_hash(files: Mapping[str, str]) -> str:
    """Hash texts by path, for names and annotations of objects."""
    return digest(files, _HASH_DIGITS)
