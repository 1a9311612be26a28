"""Strict JSON schemas of every resource type, for kubeconform, without a network or a cluster."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.lab import gobuild, resource_types, store
from tests.lab.cluster_programs import KUBERNETES
from tests.lab.progress import step

_DRAFT = "http://json-schema.org/draft-04/schema#"
_REFERENCE = "#/components/schemas/"
_DEFINITION = "#/definitions/"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_KIND = "x-kubernetes-group-version-kind"
_OPEN = "x-kubernetes-preserve-unknown-fields"
_RULES = 1
"""Incremented with every change of how schemas are made."""

Schema = dict[str, Any]


def folder() -> Path:
    """Where the schemas are: ``<group>/<version>/<kind>.json``, the core group under its version."""
    return store.root() / f"schemas-{KUBERNETES.version}"


def location() -> str:
    """What kubeconform takes as ``-schema-location``."""
    return f"{folder()}/{{{{.Group}}}}/{{{{.ResourceAPIVersion}}}}/{{{{.ResourceKind}}}}.json"


def are_made() -> bool:
    """True when the schemas are of this Kubernetes and these resource types."""
    return store.is_done(folder(), _recipe())


def make() -> None:
    """Write the schemas of Kubernetes' published API description and of the added resource types.

    Raises:
        LabError: when the module cannot be fetched.
    """
    with step(f"make the JSON schemas of Kubernetes {KUBERNETES.version}"):
        store.fill(folder(), _recipe(), _write_all)


def of_document(document: Schema) -> Iterator[tuple[str, Schema]]:
    """Path and schema of each resource type that an OpenAPI 3 document of Kubernetes describes."""
    schemas: dict[str, Schema] = document["components"]["schemas"]
    definitions = {name: _strict(schema) for name, schema in schemas.items()}
    for name, schema in schemas.items():
        kinds = schema.get(_KIND, [])
        if len(kinds) == 1:
            kind = kinds[0]
            yield (
                _path(kind["group"], kind["version"], kind["kind"]),
                _complete(definitions[name], definitions),
            )


def of_definition(definition: Schema, object_meta: dict[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """Path and schema of each version of a CustomResourceDefinition.

    ``object_meta`` holds the definitions that a resource's metadata needs.
    """
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = _strict(version["schema"]["openAPIV3Schema"])
        schema["properties"] = {
            **schema.get("properties", {}),
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": f"{_DEFINITION}{_OBJECT_META}"},
        }
        yield (
            _path(spec["group"], version["name"], spec["names"]["kind"]),
            _complete(schema, object_meta),
        )


def _write_all(out: Path) -> None:
    module = gobuild.source(KUBERNETES.module, KUBERNETES.module_version)
    meta: dict[str, Schema] = {}
    for path in sorted((module / "api" / "openapi-spec" / "v3").glob("api*__*_openapi.json")):
        document = json.loads(path.read_text())
        _write(out, of_document(document))
        if path.name.startswith("api__v1"):
            meta = {name: _strict(schema) for name, schema in document["components"]["schemas"].items()}
    for path in resource_types.files():
        for definition in yaml.safe_load_all(path.read_text()):
            if definition:
                _write(out, of_definition(definition, meta))


def _write(out: Path, schemas: Iterator[tuple[str, Schema]]) -> None:
    for path, schema in schemas:
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(schema))


def _path(group: str, version: str, kind: str) -> str:
    return f"{group or version}/{version}/{kind.lower()}.json"


def _complete(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """Add the definitions that a schema refers to, directly or through others."""
    needed: dict[str, Schema] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions[name]
            waiting += _references(definitions[name])
    return {"$schema": _DRAFT, **schema, "definitions": needed}


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_DEFINITION)
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def _strict(schema: Schema, *, closed: bool = True) -> Schema:
    """Convert a schema of OpenAPI 3 and refuse properties that it does not name.

    Below ``allOf`` and its kin a schema only adds conditions, so nothing is refused there.
    """
    result = dict(schema)
    if "$ref" in schema:
        return {"$ref": _DEFINITION + schema["$ref"].removeprefix(_REFERENCE)}
    if "properties" in schema:
        result["properties"] = {
            name: _strict(part, closed=closed) for name, part in schema["properties"].items()
        }
        if closed and "additionalProperties" not in schema and not schema.get(_OPEN):
            result["additionalProperties"] = False
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            result[key] = _strict(schema[key], closed=closed and key != "not")
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            result[key] = [_strict(part, closed=False) for part in schema[key]]
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        result["type"] = [schema["type"], "null"]
    return result


def _recipe() -> str:
    text = json.dumps([_RULES, KUBERNETES.module_version, resource_types.digest()])
    return hashlib.sha256(text.encode()).hexdigest()
