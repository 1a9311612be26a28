"""Names and tags between the SDK's properties and the services' calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_SPECIAL = {"id": "ID", "sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
_BACK = {theirs: ours for ours, theirs in _SPECIAL.items()}


def to_call(value: Any) -> Any:
    """Write properties as a call takes them: ``daysAfterInitiation`` becomes ``DaysAfterInitiation``."""
    if isinstance(value, Mapping):
        return {
            _SPECIAL.get(name, name[:1].upper() + name[1:]): to_call(item) for name, item in value.items()
        }
    return [to_call(item) for item in value] if isinstance(value, list) else value


def from_call(value: Any) -> Any:
    """Write an answer as properties; the reverse of ``to_call``."""
    if isinstance(value, Mapping):
        return {_BACK.get(name, name[:1].lower() + name[1:]): from_call(item) for name, item in value.items()}
    return [from_call(item) for item in value] if isinstance(value, list) else value


def tag_list(tags: Mapping[str, str] | None) -> list[Any]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in sorted((tags or {}).items())]


def tag_map(tags: list[Any] | None) -> dict[str, str]:
    """Tags as a program writes them."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def same_document(text: object) -> object:
    """A policy document in canonical form, so that equal ones are equal; text that is not JSON as it is."""
    if not isinstance(text, str):
        return text
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


def document_text(document: object) -> str:
    """A policy document as text, whether boto3 has decoded it or not."""
    return document if isinstance(document, str) else json.dumps(document)


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call that have a value."""
    return {name: value for name, value in values.items() if value is not None}
