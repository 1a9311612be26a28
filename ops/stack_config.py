"""The part ``config`` of a stack's file, as the engine understands it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ops.errors import OpsError

_KINDS = {"list": "a list", "str": "text", "int": "a number", "float": "a number", "bool": "true or false"}


def read_config(content: object, path: Path, project: str) -> Mapping[str, Any]:
    """Check the keys of a stack's file.

    The engine takes a key without a namespace as the project's own. A file may say the same key in both ways,
    and would be two things to two readers, so only the way with the namespace is allowed.

    Args:
        content: of the file under ``config``.
        path: of the file.
        project: name of the project, which is the namespace of its keys.

    Raises:
        OpsError: it is no mapping, or a key is not text or has no namespace.
    """
    if content is None:
        return {}
    example = f"{project}:phase: 1"
    if not isinstance(content, Mapping):
        words = content.split() if isinstance(content, str) else []
        begins = f" that begins with {words[0]!r}" if words else ""
        raise OpsError(
            f"{path.name}: config is {_kind(content)}{begins}; allowed: keys with values",
            f"write each setting in {path} on its own line, as in {example}",
            status=2,
        )
    for key in content:
        if not isinstance(key, str):
            raise OpsError(
                f"{path.name}: config has the key {key}, which is {_kind(key)}; allowed: text",
                f"write each setting in {path} with its name, as in {example}",
                status=2,
            )
    bare = [key for key in content if ":" not in key]
    if bare:
        raise OpsError(
            f"{path.name}: config has keys without a namespace: {', '.join(bare)}; "
            f"allowed: {project}:<setting>, or another namespace",
            f"write in {path}: {', '.join(f'{project}:{key}' for key in bare)}",
            status=2,
        )
    return content


def as_engine_gives_it(value: object, key: str, path: Path) -> str:
    """Write a value as the program gets it: the CLI rewrites numbers as text.

    Args:
        value: from the stack's file.
        key: whose value it is, with its namespace.
        path: of the file.

    Raises:
        OpsError: YAML reads it, or something in it, as what no setting can be, such as a date.
    """
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, default=_refuse)
    except TypeError as error:
        raise OpsError(
            f"{path.name}: {key}: {error}; allowed: text, numbers, true, false, lists and keys with values",
            f"put it in quotes in {path} if it is meant as text",
            status=2,
        ) from error


def keys_of(value: object) -> Mapping[str, Any] | None:
    """Give the keys of a section, which a file may also hold as JSON text; none if it is no section."""
    with suppress(ValueError):
        value = json.loads(value) if isinstance(value, str) else value
    return value if isinstance(value, Mapping) else None


def _refuse(value: object) -> object:
    raise TypeError(f"YAML reads {value} as {_kind(value)}")


def _kind(value: object) -> str:
    name = type(value).__name__
    return _KINDS.get(name, f"a {name}")
