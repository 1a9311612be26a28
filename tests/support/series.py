"""Names of the series that expressions look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from components.platform.manifests.promql import selectors

NAME_MATCHER = re.compile(r'__name__=~?"([^"]+)"')
LEFT_OUT = re.compile(r"\([^()]*\)[?*]|\.\*")
ALTERNATIVES = re.compile(r"\(([^()]*)\)")


def series_names(expression: str) -> Iterator[str]:
    """Give the name of the series of each selector, or a pattern of it, or its matchers if it names none."""
    for one in selectors(expression):
        named = NAME_MATCHER.search(one.matchers)
        yield one.name or (named[1] if named else one.matchers)


def spelled_out(pattern: str) -> Iterator[str]:
    """Give the names that a simple pattern matches, without what it makes optional."""
    parts = ALTERNATIVES.split(LEFT_OUT.sub("", pattern))
    return map("".join, product(*(part.split("|") for part in parts)))
