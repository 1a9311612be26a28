"""The official schema as the program sees it: property names and types, read off the SDK's own classes."""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import pulumi
from pulumi import _types as sdk

from tests.lab.providers import wire


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One thing wrong with the inputs: the property's path and the reason."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """A string, boolean or number."""

    name: str
    accepts: tuple[type, ...]


@dataclass(frozen=True, kw_only=True)
class Array:
    """A list whose items are all of one type."""

    items: PropertyType


@dataclass(frozen=True, kw_only=True)
class Table:
    """A mapping from any text to values of one type."""

    values: PropertyType


@dataclass(frozen=True, kw_only=True)
class Record:
    """An object with known properties."""

    properties: Mapping[str, PropertyType]
    required: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Anything:
    """A type that the SDK leaves open."""


PropertyType = Scalar | Array | Table | Record | Anything

_SCALARS: Mapping[object, Scalar] = {
    str: Scalar(name="a string", accepts=(str,)),
    bool: Scalar(name="true or false", accepts=(bool,)),
    int: Scalar(name="a whole number", accepts=(int,)),
    float: Scalar(name="a number", accepts=(int, float)),
}


@dataclass(frozen=True, kw_only=True)
class ResourceSchema:
    """What the SDK says about one resource.

    ``computed`` are the outputs that always have a value: where such a property is also an input, leaving it
    out of the program means "whatever the provider finds", never a change.
    """

    inputs: Record
    outputs: frozenset[str]
    computed: frozenset[str]


def resource_schema(resource: type[pulumi.Resource], args: type) -> ResourceSchema:
    """The schema of a resource from its class and the class of its arguments."""
    names = sdk.resource_pulumi_to_py_names(resource)
    always = frozenset(name for name, python in names.items() if not _is_optional(resource, python))
    return ResourceSchema(inputs=record(args), outputs=frozenset(names), computed=always)


@cache
def record(args: type) -> Record:
    """The properties of an SDK class of arguments, nested classes included."""
    names = sdk.input_type_py_to_pulumi_names(args)
    parameters = list(inspect.signature(args).parameters.values())
    return Record(
        properties={name: _of(annotation) for name, annotation in sdk.input_type_types(args).items()},
        required=frozenset(names[p.name] for p in parameters if p.default is inspect.Parameter.empty),
    )


def failures(expected: PropertyType, value: object, path: str = "") -> Iterator[Failure]:
    """Everything in ``value`` that is not of the expected type; unknown values may become anything."""
    if value == wire.UNKNOWN or isinstance(expected, Anything):
        return
    if isinstance(expected, Record):
        yield from _record_failures(expected, value, path)
    elif isinstance(expected, Array):
        if not isinstance(value, list):
            yield _wrong(path, "a list", value)
            return
        for index, item in enumerate(value):
            yield from failures(expected.items, item, f"{path}[{index}]")
    elif isinstance(expected, Table):
        if not isinstance(value, dict):
            yield _wrong(path, "a mapping", value)
            return
        for key, item in value.items():
            yield from failures(expected.values, item, f'{path}["{key}"]')
    elif type(value) not in expected.accepts:
        yield _wrong(path, expected.name, value)


def _record_failures(expected: Record, value: object, path: str) -> Iterator[Failure]:
    if not isinstance(value, dict):
        yield _wrong(path, "an object", value)
        return
    prefix = f"{path}." if path else ""
    for name in sorted(expected.required - value.keys()):
        yield Failure(path=f"{prefix}{name}", reason="is required and missing")
    for name, item in sorted(value.items()):
        if name not in expected.properties:
            yield Failure(path=f"{prefix}{name}", reason=_unknown(name, expected))
        else:
            yield from failures(expected.properties[name], item, f"{prefix}{name}")


def _unknown(name: str, expected: Record) -> str:
    near = difflib.get_close_matches(name, expected.properties, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(expected.properties))}"
    return f"the official schema has no such property{hint}"


def _wrong(path: str, expected: str, value: object) -> Failure:
    return Failure(path=path, reason=f"must be {expected}, not {type(value).__name__}")


def _of(annotation: typing.Any) -> PropertyType:
    plain = sdk.unwrap_type(annotation)
    if plain in _SCALARS:
        return _SCALARS[plain]
    if isinstance(plain, type) and sdk.is_input_type(plain):
        return record(plain)
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin is not None and inspect.isclass(origin):
        if issubclass(origin, Mapping):
            return Table(values=_of(arguments[1]))
        if issubclass(origin, typing.Sequence):
            return Array(items=_of(arguments[0]))
    return Anything()


def _is_optional(resource: type[pulumi.Resource], python_name: str) -> bool:
    getter = inspect.getattr_static(resource, python_name).fget
    (value,) = typing.get_args(getter.__annotations__["return"])
    return type(None) in typing.get_args(value)
