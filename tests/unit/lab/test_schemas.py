"""Strict JSON schemas from what Kubernetes publishes about its resource types."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft4Validator

from tests.lab import schemas

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "example.Thing": {
                "type": "object",
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"allOf": [{"$ref": f"#/components/schemas/{META}"}], "default": {}},
                    "spec": {"allOf": [{"$ref": "#/components/schemas/example.Spec"}]},
                },
                "x-kubernetes-group-version-kind": [{"group": "apps", "version": "v1", "kind": "Thing"}],
            },
            "example.Spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"type": "integer"},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "note": {"type": "string", "nullable": True},
                },
            },
            "example.Unused": {"type": "string"},
            META: {"type": "object", "properties": {"name": {"type": "string"}}},
        }
    }
}
DEFINITION: dict[str, Any] = {
    "spec": {
        "group": "example.org",
        "names": {"kind": "Widget"},
        "versions": [
            {
                "name": "v1beta1",
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "metadata": {"type": "object"},
                            "spec": {
                                "type": "object",
                                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                                "oneOf": [
                                    {"properties": {"a": {"minimum": 1}}, "required": ["a"]},
                                    {"required": ["b"]},
                                ],
                            },
                            "raw": {
                                "type": "object",
                                "properties": {"kind": {"type": "string"}},
                                "x-kubernetes-preserve-unknown-fields": True,
                            },
                        },
                    }
                },
            }
        ],
    }
}


@pytest.fixture
def thing() -> Draft4Validator:
    ((path, schema),) = schemas.of_document(DOCUMENT)
    assert path == "apps/v1/thing.json"
    return Draft4Validator(schema)


@pytest.fixture
def widget() -> Draft4Validator:
    properties = {"name": {"type": "string"}}
    meta = {META: {"type": "object", "properties": properties, "additionalProperties": False}}
    ((path, schema),) = schemas.of_definition(DEFINITION, meta)
    assert path == "example.org/v1beta1/widget.json"
    return Draft4Validator(schema)


@pytest.mark.parametrize(
    "spec", [{"size": 1}, {"size": 1, "labels": {"any": "name"}}, {"size": 1, "note": None}]
)
def test_what_is_described_is_accepted(thing: Draft4Validator, spec: dict[str, Any]) -> None:
    thing.validate({"apiVersion": "apps/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": spec})


@pytest.mark.parametrize(
    "resource",
    [
        {"spec": {"size": 1, "sise": 2}},
        {"spec": {}},
        {"spec": {"size": "1"}},
        {"spec": {"size": 1, "labels": {"number": 1}}},
        {"metadata": {"naem": "x"}},
        {"unknown": 1},
    ],
)
def test_misspelt_missing_and_mistyped_properties_are_refused(
    thing: Draft4Validator, resource: dict[str, Any]
) -> None:
    assert not thing.is_valid(resource)


def test_a_schema_holds_only_the_definitions_that_it_needs() -> None:
    ((_, schema),) = schemas.of_document(DOCUMENT)
    assert set(schema["definitions"]) == {"example.Spec", META}


def test_the_core_group_goes_by_its_version() -> None:
    document = {
        "components": {
            "schemas": {
                "io.k8s.api.core.v1.Pod": {
                    "type": "object",
                    "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Pod"}],
                }
            }
        }
    }
    ((path, _),) = schemas.of_document(document)
    assert path == "v1/v1/pod.json"


@pytest.mark.parametrize(
    "resource", [{"spec": {"a": 1}}, {"spec": {"b": 2}}, {"raw": {"kind": "x", "more": 1}}]
)
def test_added_types_keep_conditions_and_open_parts(
    widget: Draft4Validator, resource: dict[str, Any]
) -> None:
    widget.validate({"apiVersion": "example.org/v1beta1", "kind": "Widget", "metadata": {}, **resource})


@pytest.mark.parametrize(
    "resource", [{"spec": {"a": 0}}, {"spec": {"c": 1}}, {"metadata": {"naem": "x"}}, {"more": 1}]
)
def test_added_types_are_strict_as_well(widget: Draft4Validator, resource: dict[str, Any]) -> None:
    assert not widget.is_valid(resource)
