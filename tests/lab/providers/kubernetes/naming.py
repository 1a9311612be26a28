"""Names, annotations and identity of objects."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2 as pb

from tests.lab.providers import wire
from tests.lab.providers.errors import ProviderError

AUTONAMED = "pulumi.com/autonamed"
SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT = "pulumi.com/timeoutSeconds"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"
FIELD_MANAGER = "pulumi.com/patchFieldManager"
FORCE = "pulumi.com/patchForce"

_SUFFIX = 8
"""Hexadecimal digits after the resource's name."""


def name_of(values: Mapping[str, Any]) -> str:
    """The object's name, empty when it has none."""
    return str(_metadata(values).get("name") or "")


def namespace_of(values: Mapping[str, Any]) -> str:
    """The object's namespace, empty when it has none."""
    return str(_metadata(values).get("namespace") or "")


def annotation(values: Mapping[str, Any], key: str) -> str:
    """The value of an annotation, empty when it is not there."""
    annotations = _metadata(values).get("annotations")
    return str(annotations.get(key) or "") if isinstance(annotations, dict) else ""


def is_annotated(values: Mapping[str, Any], key: str) -> bool:
    """True when the annotation says ``true``."""
    return annotation(values, key) == "true"


def identifier(values: Mapping[str, Any]) -> str:
    """The resource's id: ``namespace/name``, or the name alone."""
    namespace = namespace_of(values)
    return f"{namespace}/{name_of(values)}" if namespace else name_of(values)


def identified(resource_id: str, api_version: str, kind: str) -> dict[str, Any]:
    """As much of an object as its id and kind determine."""
    namespace, _, name = resource_id.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def named(
    news: dict[str, Any], olds: Mapping[str, Any], resource: str, request: pb.CheckRequest
) -> dict[str, Any]:
    """The inputs with a name, which is made once and then kept; the program's own name takes precedence.

    Raises:
        ProviderError: the program asks the API server for a name, or the engine forbids making one.
    """
    metadata = _metadata(news)
    if metadata == wire.UNKNOWN or "name" in metadata:
        return news
    if metadata.get("generateName"):
        raise ProviderError(
            "metadata.generateName is not supported with server-side apply or in rendered files; "
            "leave the name out, and one is made."
        )
    if olds:
        return _autonamed(news, name_of(olds)) if is_annotated(olds, AUTONAMED) else news
    return _autonamed(news, _made(resource, request))


def with_namespace(values: dict[str, Any], namespace: str) -> dict[str, Any]:
    """The object in a namespace, unless it has one already."""
    metadata = _metadata(values)
    if not namespace or metadata == wire.UNKNOWN or metadata.get("namespace"):
        return values
    return {**values, "metadata": {**metadata, "namespace": namespace}}


def field_manager(values: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Who the API server records as the owner of the fields: one for each resource, kept in its state."""
    kept = annotation(values, FIELD_MANAGER) or state.get("__fieldManager")
    return str(kept or f"pulumi-kubernetes-{secrets.token_hex(_SUFFIX // 2)}")


def _made(resource: str, request: pb.CheckRequest) -> str:
    modes = pb.CheckRequest.AutonamingOptions.Mode
    if request.HasField("autonaming") and request.autonaming.mode == modes.DISABLE:
        raise ProviderError(
            f"{resource} has no metadata.name, and the stack's pulumi:autonaming forbids making one; set one."
        )
    if request.HasField("autonaming"):
        return request.autonaming.proposed_name
    seed = request.randomSeed or secrets.token_bytes(32)
    return f"{resource}-{hashlib.sha256(seed + resource.encode()).hexdigest()[:_SUFFIX]}"


def _autonamed(values: dict[str, Any], name: str) -> dict[str, Any]:
    metadata = _metadata(values)
    annotations = {**metadata.get("annotations", {}), AUTONAMED: "true"}
    return {**values, "metadata": {**metadata, "name": name, "annotations": annotations}}


def _metadata(values: Mapping[str, Any]) -> Any:
    return values.get("metadata") or {}
