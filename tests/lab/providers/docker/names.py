"""Small translations between the schema's shapes and the Docker Engine's that several resources share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def label_map(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Docker's mapping of the schema's list of labels."""
    return {entry["label"]: entry["value"] for entry in labels}


def label_list(labels: Mapping[str, str] | None) -> list[dict[str, str]]:
    """The schema's list of Docker's mapping of labels."""
    return [{"label": key, "value": value} for key, value in sorted((labels or {}).items())]


def without_empty(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs with content: no nulls, empty texts, empty lists or empty mappings."""
    return {key: value for key, value in values if value not in (None, "", [], {})}
