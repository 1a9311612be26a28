"""Who owns which field of an object, by what the API server records about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_MISSING = object()


def entries(live: Mapping[str, Any], manager: str) -> list[dict[str, Any]]:
    """What is recorded of a manager, without its changes of subresources."""
    return [entry for entry in _all(live) if entry.get("manager") == manager and "subresource" not in entry]


def is_created_by(live: Mapping[str, Any], manager: str) -> bool:
    """True when a manager created the object and has applied nothing yet."""
    return [entry.get("operation") for entry in entries(live, manager)] == ["Update"]


def without_ignored(
    values: dict[str, Any], live: Mapping[str, Any], manager: str, ignored: Sequence[str]
) -> dict[str, Any]:
    """The inputs as they are applied: of ignored paths what is there now, or nothing where others own it.

    Paths are names with dots between them; those that lead into lists are left as they are.
    """
    for path in ignored:
        steps = path.split(".")
        mine = any(_has(entry, steps) for entry in entries(live, manager))
        theirs = any(_has(entry, steps) for entry in _all(live) if entry.get("manager") != manager)
        now = _MISSING if theirs and not mine else _at(live, steps)
        if now is not _MISSING or (theirs and not mine):
            values = _with(values, steps, now)
    return values


def _all(live: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = live["metadata"].get("managedFields") or []
    return found


def _has(entry: Mapping[str, Any], steps: Sequence[str]) -> bool:
    return _at(entry.get("fieldsV1"), [f"f:{step}" for step in steps]) is not _MISSING


def _at(values: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if not isinstance(values, dict) or step not in values:
            return _MISSING
        values = values[step]
    return values


def _with(values: dict[str, Any], steps: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy with another value at a path that is there, or without it."""
    first, *rest = steps
    if first not in values or (rest and not isinstance(values[first], dict)):
        return values
    if rest:
        return {**values, first: _with(values[first], rest, value)}
    others = {name: item for name, item in values.items() if name != first}
    return others if value is _MISSING else {**others, first: value}
