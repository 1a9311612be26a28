"""Mistakes in the stack configuration, reported so that they can be fixed without looking anything up."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from components.settings.problems import Problem


class SettingsError(ValueError):
    """The stack configuration is wrong; the message lists every mistake."""

    def __init__(self, problems: Sequence[Problem], secrets: Collection[str] = ()) -> None:
        """Write one line per mistake, without the values of the top-level keys ``secrets``."""
        self.problems = tuple(problems)
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        lines = [f"  {one.key}: {_shown(one, secrets)}: {one.message}" for one in self.problems]
        super().__init__("\n".join([f"{count} wrong:", *lines]))


def describe(error: ValidationError, given: Mapping[str, Any], model: type) -> list[Problem]:
    """Turn pydantic's errors into problems, one per configuration key."""
    problems: dict[str, Problem] = {}
    for item in error.errors():
        path = _given_part(given, item["loc"])
        missing = item["type"] in _MISSING
        if missing:
            path.append(item["loc"][-1])
        key = ".".join(str(part) for part in path) or "(configuration)"
        value = None if missing else item["input"]
        problems.setdefault(key, Problem(key=key, value=value, message=_message(item, path, model)))
    return list(problems.values())


_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")


def _given_part(given: Any, location: Sequence[int | str]) -> list[int | str]:
    """Drop pydantic's markers for union members and map keys, which nobody wrote, from a location."""
    path: list[int | str] = []
    for part in location:
        found = _step(given, part)
        if found is not given:
            path.append(part)
        given = found
    return path


def _step(value: Any, part: int | str) -> Any:
    if isinstance(value, Mapping) and part in value:
        return value[part]
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return value


def _message(item: ErrorDetails, path: Sequence[int | str], model: type) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return _unknown_key(str(path[-1]), _keys_at(model, path[:-1]))
    if kind in _MISSING:
        return f"required where {'.'.join(map(str, path[:-1]))} is set"
    if kind == "literal_error":
        return f"choose {context['expected']}"
    if kind == "value_error":
        return str(context["error"])
    return _FORMS.get(kind) or item["msg"].replace("Input should", "must")


_FORMS = {
    "dataclass_type": "must be an object: its own keys, one per line below, indented",
    "tuple_type": "must be a list: one item per line, indented, after '- '",
    "too_short": "name at least one; without this key it has its default",
    "dict_type": "must be a map: your own keys, one per line below, indented",
}


def _unknown_key(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"unknown key; {guess}known here: {', '.join(known)}"


def _keys_at(model: type, path: Sequence[int | str]) -> list[str]:
    """List the known keys of the section that a path of configuration keys leads to."""
    for part in (step for step in path if isinstance(step, str)):
        hints = typing.get_type_hints(model)
        model = next(_dataclass_in(hint) for name, hint in hints.items() if to_camel(name) == part)
    return [to_camel(field.name) for field in dataclasses.fields(model)]


def _dataclass_in(hint: Any) -> type:
    """Find the section in a setting's type: the type itself, an optional one, or an item of several."""
    found = _dataclasses_in(hint)
    if not found:
        raise LookupError(f"{hint} has no keys")
    return found[0]


def _dataclasses_in(hint: Any) -> list[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return [hint]
    return [found for part in typing.get_args(hint) for found in _dataclasses_in(part)]


def _shown(problem: Problem, secrets: Collection[str]) -> str:
    if problem.key.partition(".")[0] in secrets:
        return "(secret)"
    text = "not set" if problem.value is None else repr(problem.value)
    return text if len(text) <= 80 else f"{text[:77]}..."
