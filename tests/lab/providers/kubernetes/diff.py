"""What changes between the previous inputs and the program's new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.lab.providers import wire
from tests.lab.providers.diff import Change, Kind
from tests.lab.providers.kubernetes.force_new import Path

_NOTHING = object()


def changes(old: object, new: object, replaces: Callable[[Path, object], bool]) -> list[Change]:
    """The differences, in the order of their paths. ``replaces`` tells which of them cannot change in place.

    A change inside a list is identified by the item's index, as in a merge patch.
    """
    return [
        Change(path=spelled(path), kind=kind, replaces=replaces(path, value))
        for path, kind, value in _differences((), old, new)
    ]


def spelled(path: Path) -> str:
    """The path as Pulumi writes it: ``spec.template.spec.containers[0].image``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif any(letter in step for letter in '."[]'):
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text


def is_below(path: str, ignored: str) -> bool:
    """True when a path is one that is ignored, or inside it."""
    return path == ignored or path.startswith((f"{ignored}.", f"{ignored}["))


def _differences(path: tuple[str | int, ...], old: Any, new: Any) -> Iterator[tuple[Path, Kind, object]]:
    if old is not _NOTHING and old == new and not wire.has_unknown(new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences((*path, key), old.get(key, _NOTHING), new.get(key, _NOTHING))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _differences((*path, index), _item(old, index), _item(new, index))
    elif new is _NOTHING:
        yield path, "delete", old
    else:
        yield path, "add" if old is _NOTHING else "update", new


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _NOTHING


def drifted(inputs: Any, before: Any, live: Any) -> Any:
    """The inputs with what changed on the cluster since ``before`` was read; the rest stays as written.

    Values that the cluster writes differently (``1024Mi`` as ``1Gi``) and fields that it adds are not drift.
    """
    if isinstance(inputs, dict) and isinstance(live, dict):
        known = before if isinstance(before, dict) else {}
        return {
            key: drifted(value, known.get(key), live.get(key))
            for key, value in inputs.items()
            if key in live or key not in known
        }
    if before == live:
        return inputs
    if isinstance(inputs, list) and isinstance(live, list) and len(inputs) == len(live):
        items = before if isinstance(before, list) and len(before) == len(live) else [None] * len(live)
        return [drifted(*item) for item in zip(inputs, items, live, strict=True)]
    return live
