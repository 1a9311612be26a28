"""Where objects go: to an API server, or into files; the interface of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.providers.kubernetes.kinds import Kind
from tests.lab.providers.resource import Made

MANAGER_KEY = "__fieldManager"
VERSION_KEY = "__initialApiVersion"
"""Kept in the state by the official plugin; ``__inputs``, which it keeps too, is left out."""

_SERVER_FIELDS = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """What the engine asks for: the resource's URN, and seconds it may take, 0 for the kind's default.

    ``ignored`` are paths whose changes the program ignores.
    """

    urn: str = ""
    timeout: float = 0.0
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """An object as it is now: its state, and the inputs that would lead to it."""

    outputs: dict[str, Any]
    inputs: dict[str, Any]


class Backend(ABC):
    """Keeps objects somewhere."""

    @abstractmethod
    def is_namespaced(self, kind: Kind) -> bool:
        """True when objects of the kind belong to a namespace."""

    @abstractmethod
    def planned(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The outputs of a creation as far as a preview can know them."""

    @abstractmethod
    def updated(self, state: dict[str, Any], news: dict[str, Any], call: Call) -> dict[str, Any]:
        """The outputs of an update as far as a preview can know them."""

    @abstractmethod
    def create(self, inputs: dict[str, Any], call: Call) -> Made:
        """Make it and wait until it is ready.

        Raises:
            ProviderError: nothing was made.
            InitializationError: it was made, but is not ready.
        """

    @abstractmethod
    def read(
        self, resource_id: str, kind: Kind, inputs: dict[str, Any], state: dict[str, Any]
    ) -> Found | None:
        """It as it is now, None when it is gone; without inputs and state it is imported.

        Raises:
            InitializationError: it is there, but not ready.
        """

    @abstractmethod
    def update(
        self, resource_id: str, state: dict[str, Any], news: dict[str, Any], call: Call
    ) -> dict[str, Any]:
        """Change it, wait until it is ready, and return the new outputs."""

    @abstractmethod
    def delete(self, state: dict[str, Any], call: Call) -> None:
        """Remove it and wait until it is gone; no error when it is already gone."""


def recorded(live: Mapping[str, Any], manager: str) -> dict[str, Any]:
    """The object as the state holds it."""
    return {**live, VERSION_KEY: live["apiVersion"], MANAGER_KEY: manager}


def imported(live: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of an object that no program has described yet: all that the API server does not fill in."""
    given = {name: value for name, value in live.items() if name != "status"}
    metadata = {name: value for name, value in live["metadata"].items() if name not in _SERVER_FIELDS}
    return {**given, "metadata": metadata}
