"""Mistakes in the stack configuration, told so that they can be mended without looking anything up."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from components.problems import Problem


class SettingsError(ValueError):
    """The stack configuration is wrong; the message lists every mistake."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Write one line per mistake."""
        self.problems = tuple(problems)
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        lines = [f"  {problem.key}: {_shown(problem.value)}: {problem.message}" for problem in self.problems]
        super().__init__("\n".join([f"{count} wrong:", *lines]))


def describe(error: ValidationError, given: Mapping[str, Any], model: type) -> list[Problem]:
    """Turn pydantic's errors into problems, one per configuration key."""
    problems: dict[str, Problem] = {}
    for item in error.errors():
        path = [part for part in item["loc"] if _is_given(given, item["loc"], part)]
        key = ".".join(str(part) for part in path) or "(configuration)"
        problems.setdefault(key, Problem(key=key, value=item["input"], message=_message(item, path, model)))
    return list(problems.values())


def _is_given(given: Any, location: tuple[int | str, ...], part: int | str) -> bool:
    """Tell a configuration key from pydantic's markers for union members and map keys."""
    for step in location[: location.index(part)]:
        given = _step(given, step)
    return isinstance(given, Mapping | list) and _step(given, part) is not given


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
    if kind == "literal_error":
        return f"choose {context['expected']}"
    if kind == "value_error":
        return str(context["error"])
    return item["msg"].replace("Input should", "must")


def _unknown_key(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"unknown key; {guess}known here: {', '.join(known)}"


def _keys_at(model: type, path: Sequence[int | str]) -> list[str]:
    """Known keys of the section that a path of configuration keys leads to."""
    for part in (step for step in path if isinstance(step, str)):
        hints = typing.get_type_hints(model)
        model = next(_dataclass_in(hint) for name, hint in hints.items() if to_camel(name) == part)
    return [to_camel(field.name) for field in dataclasses.fields(model)]


def _dataclass_in(hint: Any) -> type:
    """Find the section that a setting's type is about: itself, or optional, or each of several."""
    waiting = [hint]
    for one in waiting:
        if isinstance(one, type) and dataclasses.is_dataclass(one):
            return one
        waiting += typing.get_args(one)
    raise LookupError(f"{hint} has no keys")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
