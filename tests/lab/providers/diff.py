"""What changes between a resource's recorded state and the program's new inputs.

As in the official plugins (Terraform providers behind a bridge), the state is compared, not the old inputs:
what counts is what was read back from the real thing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.lab.providers import wire
from tests.lab.providers.schema import Array, PropertyType, Record

Kind = Literal["add", "update", "delete"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One property that differs. ``replaces`` when it cannot change in place."""

    path: str
    kind: Kind
    replaces: bool

    @property
    def property(self) -> str:
        """The property of the resource to which the path belongs."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a resource's properties change.

    ``force_new`` replace; all others update in place, even where that does nothing. ``defaults`` are values
    that mean the same as leaving the property out, by path; list items are not numbered (``ports.ip``).
    ``ordered`` are the names of lists whose order matters; all others are sets. ``computed`` inputs may be
    left out without a change.
    """

    force_new: Collection[str] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    ordered: Collection[str] = ()
    computed: Collection[str] = ()


def changes(rules: Rules, inputs: Record, state: Mapping[str, Any], news: Mapping[str, Any]) -> list[Change]:
    """The differences of all inputs, in the order of their names.

    An empty list is a value of a computed property: whatever was computed is to go.
    """
    found: list[Change] = []
    for name, expected in sorted(inputs.properties.items()):
        new = canonical(rules, expected, name, news.get(name))
        if new is None and name in rules.computed and news.get(name) != []:
            continue
        replaces = name in rules.force_new
        old = canonical(rules, expected, name, state.get(name))
        found += (
            Change(path=path, kind=kind, replaces=replaces) for path, kind in _differences(name, old, new)
        )
    return found


def canonical(rules: Rules, expected: PropertyType, path: str, value: Any) -> Any:
    """The value in canonical form, so that equal values are equal; None when it says nothing.

    Terraform, and so the official plugin, takes a zero, an empty text and an empty list for "not given", but
    not inside a list or a mapping with free keys.
    """
    if isinstance(expected, Record) and isinstance(value, dict):
        known = {key: item for key, item in sorted(value.items()) if key in expected.properties}
        items = {
            key: canonical(rules, expected.properties[key], f"{path}.{key}", item)
            for key, item in known.items()
        }
        return {key: item for key, item in items.items() if item is not None} or None
    if isinstance(expected, Array) and isinstance(value, list):
        return _ordered(rules, path, [_item(rules, expected.items, path, item) for item in value]) or None
    if path in rules.defaults:
        return None if value == rules.defaults[path] else value
    return value or None


def _item(rules: Rules, expected: PropertyType, path: str, value: Any) -> Any:
    return canonical(rules, expected, path, value) if isinstance(expected, Record) else value


def _ordered(rules: Rules, path: str, items: list[Any]) -> list[Any]:
    if path.rpartition(".")[2] in rules.ordered:
        return items
    return [json.loads(text) for text in sorted({json.dumps(item, sort_keys=True) for item in items})]


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Kind]]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            step = f".{key}" if key.isidentifier() else f'["{key}"]'
            yield from _differences(path + step, old.get(key), new.get(key))
    elif wire.has_unknown(new):
        yield path, "update"
    else:
        yield path, "add" if old is None else "delete" if new is None else "update"
