"""What a drill asks of a stack, whichever way it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from tests.support.numbered import Load


class Stores(Protocol):
    """A running stack, wherever it runs: its stores and its Kafka can be queried."""

    @property
    def loki(self) -> int:
        """Loki's port."""

    @property
    def prometheus(self) -> int:
        """Prometheus's port."""

    @property
    def jaeger(self) -> int:
        """Port of Jaeger's queries."""

    def get(self, port: int, path: str, **parameters: str | int) -> Any:
        """Ask the HTTP API of the store that has a port."""

    def run(self, name: str, *command: str) -> str:
        """Run a command in a program's container.

        Raises:
            AssertionError: it failed.
        """

    def traces(self, load: Load, kind: str) -> Iterator[tuple[str, set[str]]]:
        """Ids of the traces of a kind that the store has, each with those of its spans."""
