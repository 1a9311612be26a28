"""Pulumi's type tokens and the kinds of objects behind them, and what the SDK says about their properties."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.schema import Failure, Record, failures, record

_OTHER_RESOURCES = ("helm.sh/", "kustomize", "yaml")
"""Modules of the official plugin whose resources are charts and files, not objects."""

_NOT_NAMESPACED = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)

_RECURSIVE = frozenset({"CustomResourceDefinition"})
"""Kinds whose schema contains itself; their properties are left to the API server."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of object.

    ``inputs`` is None for custom resources, whose properties only the API server knows. ``namespaced`` is
    None where that, too, only the API server knows.
    """

    token: str
    api_version: str
    name: str
    inputs: Record | None
    namespaced: bool | None

    @property
    def group(self) -> str:
        """The API group, empty for the core one."""
        return self.api_version.rpartition("/")[0]

    def failures(self, values: Mapping[str, Any]) -> Iterator[Failure]:
        """Everything in a program's properties that has the wrong name or type."""
        if self.inputs is not None:
            yield from failures(self.inputs, dict(values))
        elif "metadata" in values:
            yield from failures(_METADATA, values["metadata"], "metadata")
        for name, expected in (("apiVersion", self.api_version), ("kind", self.name)):
            if values.get(name, expected) != expected:
                yield Failure(path=name, reason=f"must be {expected!r} for a {self.token}")


_METADATA = record(ObjectMetaArgs)

_loading = threading.Lock()
"""Held while the SDK's modules are loaded: they need each other, complete."""


def kind_of(token: str) -> Kind:
    """The kind behind a token like ``kubernetes:apps/v1:Deployment``.

    Raises:
        ProviderError: it is not an object, or one that is not modelled.
    """
    with _loading:
        return _kind_of(token)


@cache
def _kind_of(token: str) -> Kind:
    _, module, name = token.split(":")
    group, _, version = module.rpartition("/")
    if module.startswith(_OTHER_RESOURCES) or not group:
        raise _not_modelled(token)
    sdk = _sdk_module(group, version)
    resource = getattr(sdk, name, None)
    if getattr(resource, "pulumi_type", None) != token:
        return Kind(token=token, api_version=module, name=name, inputs=None, namespaced=None)
    if name.endswith(("Patch", "List")):
        raise _not_modelled(token)
    args = getattr(sdk, f"{name}InitArgs", None) or getattr(sdk, f"{name}Args")
    return Kind(
        token=token,
        api_version=version if group == "core" else module,
        name=name,
        inputs=None if name in _RECURSIVE else record(args),
        namespaced=name not in _NOT_NAMESPACED,
    )


def _sdk_module(group: str, version: str) -> object:
    """The SDK's module of a group's version, None for a group that Kubernetes itself does not have."""
    path = f"pulumi_kubernetes.{group.partition('.')[0]}.{version}"
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        return None


def _not_modelled(token: str) -> ProviderError:
    return ProviderError(
        f"the lab's stand-in for the kubernetes plugin does not model {token}; it has single objects of "
        f"every kind, custom resources included. Charts, manifests and ...Patch need the official plugin."
    )
