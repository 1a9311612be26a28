"""The base of every resource of a stand-in: what the engine may ask of it, with the rules that most share."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.providers import wire
from tests.lab.providers.diff import Change, Rules, changes
from tests.lab.providers.schema import Failure, ResourceSchema, failures

DEFAULTS_KEY = "__defaults"
"""Names the inputs that the provider and not the program chose; the official plugins keep it in the state."""


@dataclass(frozen=True, kw_only=True)
class Diff:
    """The answer to "what would an update do?"."""

    changes: tuple[Change, ...]
    delete_before_replace: bool = False


@dataclass(frozen=True, kw_only=True)
class Made:
    """A resource that now exists: its id and the properties that go into the state."""

    resource_id: str
    outputs: dict[str, Any]


class Resource(ABC):
    """One resource type.

    Args:
        token: Pulumi's type token, like ``docker:index/container:Container``.
        schema: the official schema's property names and types.
        rules: how its properties change.
        autonamed: give it a name of ``<name>-<7 hex digits>`` when the program does not.
        always_delete_first: a replacement deletes the old one before it makes the new one. Otherwise that is
            so only where both would have the same name, chosen by the program.
        secret_outputs: outputs that are secret whatever the inputs were.
        not_modelled: inputs of the official schema that are refused here.
    """

    def __init__(
        self,
        token: str,
        schema: ResourceSchema,
        rules: Rules,
        *,
        autonamed: bool = False,
        always_delete_first: bool = False,
        secret_outputs: frozenset[str] = frozenset(),
        not_modelled: frozenset[str] = frozenset(),
    ) -> None:
        self.token = token
        self.schema = schema
        self.rules = rules
        self.autonamed = autonamed
        self.always_delete_first = always_delete_first
        self.secret_outputs = secret_outputs
        self.not_modelled = not_modelled

    def failures(self, inputs: Mapping[str, Any]) -> Iterator[Failure]:
        """Everything wrong with the inputs that can be known before anything is made."""
        yield from failures(self.schema.inputs, dict(inputs))
        for name in sorted(self.not_modelled):
            if inputs.get(name):
                yield Failure(
                    path=name, reason="is not modelled by the lab's stand-in; use the official plugin"
                )

    def checked(
        self, inputs: dict[str, Any], olds: Mapping[str, Any], name: str, seed: bytes
    ) -> dict[str, Any]:
        """The inputs with the provider's own choices filled in; a name chosen before is kept."""
        if not self.autonamed or "name" in inputs:
            return inputs
        chosen = olds.get("name") if "name" in olds.get(DEFAULTS_KEY, []) else None
        suffix = hashlib.sha256(seed + name.encode()).hexdigest()[:7]
        return {**inputs, "name": chosen or f"{name}-{suffix}", DEFAULTS_KEY: ["name"]}

    def diff(self, state: Mapping[str, Any], news: Mapping[str, Any]) -> Diff:
        """What differs between the state and the new inputs, and whether that needs a new resource."""
        found = changes(self.rules, self.schema.inputs, state, news)
        replaces = any(change.replaces for change in found)
        named = "name" in news and "name" not in news.get(DEFAULTS_KEY, [])
        same_name = named and news["name"] in (state.get("name"), wire.UNKNOWN)
        return Diff(
            changes=tuple(found),
            delete_before_replace=replaces and (self.always_delete_first or same_name),
        )

    def planned(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs of a creation as far as a preview knows them."""
        unknown = dict.fromkeys(self.schema.computed, wire.UNKNOWN)
        return {**unknown, **self.recorded(inputs)}

    def updated(self, state: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs after an update in place: the new inputs over what is computed."""
        kept = {name: value for name, value in state.items() if name in self.schema.computed}
        return {**kept, **self.recorded(news)}

    def recorded(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs as the state holds them, top-level defaults included."""
        return {
            **{name: value for name, value in self.rules.defaults.items() if "." not in name},
            **{name: value for name, value in inputs.items() if not name.startswith("__")},
        }

    @abstractmethod
    def create(self, inputs: dict[str, Any]) -> Made:
        """Make it.

        Raises:
            ProviderError: nothing was made.
            InitializationError: it was made, but is not usable.
        """

    @abstractmethod
    def read(self, resource_id: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
        """Its current outputs, or None when it is gone."""

    def update(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        """Change it in place as far as the official plugin would; return the new outputs."""
        del resource_id
        return self.updated(state, news)

    @abstractmethod
    def delete(self, resource_id: str, state: dict[str, Any]) -> None:
        """Remove it; no error when it is already gone."""
