"""Property values between the engine's protobuf structs and plain Python.

The stand-ins do not accept secrets on the wire, so the engine sends plain values (but for the provider's own
settings) and itself marks the answer secret wherever the inputs were. Unknown values of a preview stay the
engine's marker text both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

UNKNOWN: str = rpc.UNKNOWN
"""Stands for a value that is known only after the update."""


def unpack(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The properties of a struct: whole numbers become ``int``, nulls are left out, secrets are plain."""
    plain = _plain(json_format.MessageToDict(struct))
    if not isinstance(plain, dict):
        raise TypeError(f"a struct unpacks to a dict, not to {type(plain).__name__}")
    return plain


def pack(values: Mapping[str, Any], secret: Iterable[str] = ()) -> struct_pb2.Struct:
    """A struct of the values; those named in ``secret`` are marked as secrets."""
    hidden = frozenset(secret)
    marked = {key: rpc.wrap_rpc_secret(value) if key in hidden else value for key, value in values.items()}
    struct = struct_pb2.Struct()
    struct.update(marked)
    return struct


def has_unknown(value: object) -> bool:
    """True when the value is unknown, or anything inside it is."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value == UNKNOWN


def _plain(value: object) -> object:
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
