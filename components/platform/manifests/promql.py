"""Selectors in PromQL: where they occur in an expression, and how to restrict it to one namespace.

Only as much of the language is parsed as is needed to tell a selector from everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

STRING = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`'
TOKEN = re.compile(
    rf"(?P<nothing>\s+|#[^\n]*)|(?P<string>{STRING})|(?P<matchers>\{{(?:{STRING}|[^}}\"'`])*\}})"
    r"|(?P<range>\[[^\]]*\])|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\w*)"
    r"|(?P<name>[a-zA-Z_:][\w:]*)|(?P<other>.)",
    re.DOTALL,
)
GROUPINGS = ("by", "without", "on", "ignoring", "group_left", "group_right")
OPERATORS = ("and", "or", "unless", "atan2", "offset", "bool", "inf", "nan")


@dataclass(frozen=True, kw_only=True)
class Selector:
    """What chooses series.

    Attributes:
        name: the metric's name; empty where there are only matchers.
        matchers: text between the braces; empty without.
        start: where it begins in the expression.
        end: where it ends.
    """

    name: str
    matchers: str
    start: int
    end: int


def selectors(expression: str) -> Iterator[Selector]:
    """Find every selector of a valid expression, in order."""
    tokens = [match for match in TOKEN.finditer(expression) if match.lastgroup != "nothing"]
    in_grouping = False
    for number, token in enumerate(tokens):
        text, before, after = token[0], _text(tokens, number - 1), _text(tokens, number + 1)
        if in_grouping:
            in_grouping = text != ")"
        elif text == "(" and before.lower() in GROUPINGS:
            in_grouping = True
        elif token.lastgroup == "matchers" and not _is_metric(tokens, number - 1):
            yield Selector(name="", matchers=text[1:-1], start=token.start(), end=token.end())
        elif _is_metric(tokens, number):
            matchers, end = (after[1:-1], tokens[number + 1].end()) if after[:1] == "{" else ("", token.end())
            yield Selector(name=text, matchers=matchers, start=token.start(), end=end)


def in_namespace(expression: str, namespace: str) -> str:
    """Restrict every selector in an expression to the series of one namespace."""
    parts, done = [], 0
    for selector in selectors(expression):
        matchers = [f'namespace="{namespace}"', *filter(None, [selector.matchers.strip()])]
        parts += [expression[done : selector.start], f"{selector.name}{{{', '.join(matchers)}}}"]
        done = selector.end
    return "".join([*parts, expression[done:]])


def grouped_by(expression: str, label: str) -> str:
    """Have every aggregation that keeps only some labels keep this one as well."""
    tokens = [match for match in TOKEN.finditer(expression) if match.lastgroup != "nothing"]
    parts, done = [], 0
    for number, token in enumerate(tokens[:-2]):
        if token[0].lower() == "by" and _text(tokens, number + 1) == "(":
            start = tokens[number + 1].end()
            parts += [expression[done:start], label if _text(tokens, number + 2) == ")" else f"{label}, "]
            done = start
    return "".join([*parts, expression[done:]])


def _is_metric(tokens: Sequence[re.Match[str]], number: int) -> bool:
    """Tell whether a token is a metric's name: not a keyword, a function or an aggregation."""
    if number < 0 or tokens[number].lastgroup != "name":
        return False
    after = _text(tokens, number + 1).lower()
    return tokens[number][0].lower() not in (*GROUPINGS, *OPERATORS) and after not in ("(", "by", "without")


def _text(tokens: Sequence[re.Match[str]], number: int) -> str:
    return tokens[number][0] if 0 <= number < len(tokens) else ""
