"""Grafana's data sources, and how one leads to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LINK = ("datasourceUid", "alertmanagerUid")
"""Keys under which a data source names another."""


def links(sources: Iterable[Mapping[str, Any]]) -> set[tuple[str, str, str]]:
    """Give which data source leads by which of its options to which other, by uid."""
    return {
        (source["uid"], option, target)
        for source in sources
        for option, value in source["jsonData"].items()
        for key in LINK
        for target in mentions({option: value}, key)
    }


def links_of_every_phase(traces: str, metrics: str, logs: str) -> set[tuple[str, str, str]]:
    """Give the links between the data sources of the three signals, by their uids."""
    return {
        (metrics, "exemplarTraceIdDestinations", traces),
        (traces, "tracesToLogsV2", logs),
        (traces, "tracesToMetrics", metrics),
        (logs, "derivedFields", traces),
    }


def mentions(node: object, key: str) -> Iterator[Any]:
    """Give every value that stands under a key, at any depth."""
    if isinstance(node, Mapping):
        for name, child in node.items():
            if name == key:
                yield child
            yield from mentions(child, key)
    elif isinstance(node, list):
        for child in node:
            yield from mentions(child, key)
