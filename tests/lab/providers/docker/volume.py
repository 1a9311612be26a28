"""``docker.Volume``: a named volume. An existing one of that name is adopted, as Docker does."""

from __future__ import annotations

from typing import Any

import pulumi_docker
from docker.errors import NotFound

from tests.lab.providers.diff import Rules
from tests.lab.providers.docker.client import Connection
from tests.lab.providers.docker.names import label_list, label_map, without_empty
from tests.lab.providers.docker.waiting import remove_when_free
from tests.lab.providers.resource import Made, Resource
from tests.lab.providers.schema import resource_schema


class Volume(Resource):
    """Every change replaces; a change of name makes a new volume and deletes the old one with its data."""

    def __init__(self, connection: Connection) -> None:
        schema = resource_schema(pulumi_docker.Volume, pulumi_docker.VolumeArgs)
        super().__init__(
            "docker:index/volume:Volume",
            schema,
            Rules(force_new=frozenset(schema.inputs.properties), computed=schema.computed),
            autonamed=True,
            not_modelled=frozenset({"cluster"}),
        )
        self._connection = connection

    def create(self, inputs: dict[str, Any]) -> Made:
        with self._connection.open() as client:
            made = client.create_volume(
                name=inputs["name"],
                driver=inputs.get("driver"),
                driver_opts=inputs.get("driverOpts"),
                labels=label_map(inputs.get("labels", [])),
            )
        return Made(resource_id=made["Name"], outputs=_outputs(made))

    def read(self, resource_id: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
        del inputs, state
        with self._connection.open() as client:
            try:
                return _outputs(client.inspect_volume(resource_id))
            except NotFound:
                return None

    def delete(self, resource_id: str, state: dict[str, Any]) -> None:
        del state
        with self._connection.open() as client:
            remove_when_free(lambda: client.remove_volume(resource_id, force=True))


def _outputs(volume: dict[str, Any]) -> dict[str, Any]:
    return without_empty(
        {
            "name": volume["Name"],
            "driver": volume["Driver"],
            "driverOpts": volume.get("Options"),
            "labels": label_list(volume.get("Labels")),
            "mountpoint": volume["Mountpoint"],
        }.items()
    )
