"""What all resources of the aws stand-in share: region, policy documents, tags, errors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from tests.lab.providers.aws.connection import Connection, told
from tests.lab.providers.aws.names import same_document
from tests.lab.providers.diff import Rules
from tests.lab.providers.resource import Diff, Made, Resource
from tests.lab.providers.schema import ResourceSchema


class AwsResource(Resource):
    """One resource type of AWS.

    Args:
        connection: clients of the services.
        token: Pulumi's type token.
        schema: the official schema's property names and types.
        force_new: properties whose change replaces; the region always does.
        defaults: values that mean the same as leaving a property out.
        ordered: lists whose order matters.
        documents: properties that hold JSON, which is compared as JSON.
        autonamed: give it a name when the program does not.
        not_modelled: inputs of the official schema that are refused here.
    """

    def __init__(
        self,
        connection: Connection,
        token: str,
        schema: ResourceSchema,
        *,
        force_new: frozenset[str],
        defaults: Mapping[str, Any] | None = None,
        ordered: frozenset[str] = frozenset(),
        documents: frozenset[str] = frozenset(),
        autonamed: bool = False,
        not_modelled: frozenset[str] = frozenset(),
    ) -> None:
        rules = Rules(
            force_new=force_new | {"region"},
            defaults=defaults or {},
            ordered=ordered,
            computed=schema.computed - schema.inputs.required,
        )
        super().__init__(token, schema, rules, autonamed=autonamed, not_modelled=not_modelled)
        self.connection = connection
        self._documents = documents
        self._kind = token.rpartition(":")[2]

    def diff(self, state: Mapping[str, Any], news: Mapping[str, Any]) -> Diff:
        return super().diff(self._comparable(state), self._comparable(self._placed(news)))

    def planned(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return super().planned(self._placed(inputs))

    def recorded(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        recorded = super().recorded(self._placed(inputs))
        return {**recorded, "tagsAll": inputs.get("tags", {})} if self._tagged else recorded

    def create(self, inputs: dict[str, Any]) -> Made:
        with told(f"creating {self._kind}"):
            resource_id = self.make(self._placed(inputs))
            return Made(resource_id=resource_id, outputs=self._outputs(resource_id, inputs))

    def read(self, resource_id: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
        with told(f"reading {self._kind} {resource_id}"):
            found = self.find(resource_id, {**state, **self._placed(inputs)})
        return None if found is None else {**self.recorded(inputs), **found}

    def update(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        with told(f"updating {self._kind} {resource_id}"):
            self.change(resource_id, state, self._placed(news))
            return self._outputs(resource_id, news)

    def delete(self, resource_id: str, state: dict[str, Any]) -> None:
        with told(f"deleting {self._kind} {resource_id}"):
            self.remove(resource_id, state)

    @abstractmethod
    def make(self, inputs: dict[str, Any]) -> str:
        """Make it and return its id."""

    @abstractmethod
    def find(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        """What the service says of it, or None when it is gone."""

    @abstractmethod
    def change(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> None:
        """Change it in place."""

    @abstractmethod
    def remove(self, resource_id: str, state: dict[str, Any]) -> None:
        """Remove it; no error when it is already gone."""

    @property
    def _tagged(self) -> bool:
        return "tagsAll" in self.schema.outputs

    def _placed(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs with the region in which the resource is, if it is in one."""
        if "region" not in self.schema.inputs.properties:
            return dict(inputs)
        return {"region": self.connection.region, **inputs}

    def _comparable(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: same_document(value) if name in self._documents else value for name, value in values.items()
        }

    def _outputs(self, resource_id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.recorded(inputs), **(self.find(resource_id, self._placed(inputs)) or {})}
