"""Conditions in an object's status."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any


def unmet(found: Mapping[str, Any], kinds: Collection[str]) -> Iterator[Mapping[str, Any]]:
    """Give the conditions of these kinds that are false."""
    for condition in (found.get("status") or {}).get("conditions") or []:
        if condition["type"] in kinds and condition["status"] == "False":
            yield condition
