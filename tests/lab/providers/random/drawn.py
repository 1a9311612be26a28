"""The base of all random resources: drawn once, kept in the state, drawn anew when an input changes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from tests.lab.providers.diff import Rules
from tests.lab.providers.resource import Made, Resource
from tests.lab.providers.schema import ResourceSchema


class Drawn(Resource):
    """A value that exists in the stack's state only.

    Args:
        token: Pulumi's type token.
        schema: the official schema's property names and types.
        defaults: values that mean the same as leaving an input out.
        secret: outputs that are secret.
    """

    def __init__(
        self,
        token: str,
        schema: ResourceSchema,
        *,
        defaults: Mapping[str, Any] | None = None,
        secret: frozenset[str] = frozenset(),
    ) -> None:
        inputs = frozenset(schema.inputs.properties)
        rules = Rules(force_new=inputs, defaults=defaults or {})
        super().__init__(token, schema, rules, secret_outputs=secret)

    @abstractmethod
    def draw(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """A new value: the resource's id and the outputs that it adds to the inputs."""

    def create(self, inputs: dict[str, Any]) -> Made:
        resource_id, drawn = self.draw(inputs)
        return Made(resource_id=resource_id, outputs={**self.recorded(inputs), **drawn})

    def read(self, resource_id: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
        del resource_id, inputs
        return state

    def delete(self, resource_id: str, state: dict[str, Any]) -> None:
        del resource_id, state
