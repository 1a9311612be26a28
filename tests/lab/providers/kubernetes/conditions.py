"""``pulumi.com/waitFor``: conditions that the program itself names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes.readiness import condition
from tests.lab.providers.kubernetes.waiting import Pending

_STEP = re.compile(r"\.(?P<name>[\w-]+)|\[(?P<index>\d+)\]|\['(?P<key>[^']+)'\]|\[\?(?P<filter>[^\]]+)\]")
_FILTER = re.compile(r"""\(?@\.(?P<name>[\w-]+)\s*==\s*["'](?P<value>[^"']*)["']\)?""")


def pending(expression: str, values: Mapping[str, Any]) -> Pending | None:
    """What the object lacks of an annotation's value: one expression, or a JSON list of them.

    Raises:
        ProviderError: an expression is of no known form.
    """
    for one in _expressions(expression):
        if not _holds(one, values):
            return Pending(reason=f"it is not yet {one}")
    return None


def _expressions(text: str) -> list[str]:
    try:
        parsed = json.loads(text)
    except ValueError:
        return [text]
    return [str(item) for item in parsed] if isinstance(parsed, list) else [text]


def _holds(expression: str, values: Mapping[str, Any]) -> bool:
    form, _, rest = expression.partition("=")
    if form == "condition":
        kind, _, wanted = rest.partition("=")
        status = str(condition(values, kind).get("status", ""))
        return status.lower() == (wanted or "True").lower()
    if form == "jsonpath":
        path, wanted = _split(rest)
        found = list(_found(path, values))
        return any(_text(item) == wanted for item in found) if wanted else bool(found)
    raise ProviderError(
        f"pulumi.com/waitFor has {expression!r}: it must start with 'condition=' or 'jsonpath='."
    )


def _split(rest: str) -> tuple[str, str]:
    """The path inside its braces, and the value that is wanted of it."""
    inside, brace, after = rest.partition("}")
    if not rest.startswith("{") or not brace:
        raise ProviderError(
            f"pulumi.com/waitFor has the path {rest!r}: it must be in braces, like {{.status}}."
        )
    return inside[1:], after.removeprefix("=").strip("\"'")


def _found(path: str, values: object) -> Iterator[object]:
    """What a path leads to: names, indexes and ``[?(@.type=="Ready")]``.

    Raises:
        ProviderError: the path has other parts.
    """
    nodes: list[Any] = [values]
    place = 1 if path.startswith("$") else 0
    while place < len(path):
        step = _STEP.match(path, place)
        if step is None:
            raise ProviderError(
                f"pulumi.com/waitFor has the path {path!r}: {path[place:]!r} is not understood."
            )
        nodes = [item for node in nodes for item in _next(step, node)]
        place = step.end()
    return iter(nodes)


def _next(step: re.Match[str], node: Any) -> Iterator[Any]:
    name = step["name"] or step["key"]
    if name is not None:
        if isinstance(node, dict) and name in node:
            yield node[name]
    elif step["index"] is not None:
        if isinstance(node, list) and int(step["index"]) < len(node):
            yield node[int(step["index"])]
    elif isinstance(node, list):
        wanted = _FILTER.fullmatch(step["filter"])
        if wanted is None:
            raise ProviderError(
                f'pulumi.com/waitFor has the filter {step["filter"]!r}: use (@.name=="value").'
            )
        yield from (item for item in node if str(item.get(wanted["name"])) == wanted["value"])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
