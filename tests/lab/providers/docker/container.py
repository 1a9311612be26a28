"""``docker.Container``: a container, its files, and the wait until it is healthy."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import pulumi_docker
from docker.errors import APIError, ImageNotFound, NotFound
from requests import RequestException

from tests.lab.providers.docker import container_request, container_rules, container_state, uploads
from tests.lab.providers.docker.client import Connection, reason
from tests.lab.providers.docker.health import wait_until_healthy
from tests.lab.providers.errors import InitializationError, ProviderError
from tests.lab.providers.resource import Made, Resource
from tests.lab.providers.schema import Failure, resource_schema


class Container(Resource):
    """Follows ``container_rules`` for what replaces, what updates and what is silently ignored."""

    def __init__(self, connection: Connection, cancelled: threading.Event) -> None:
        schema = resource_schema(pulumi_docker.Container, pulumi_docker.ContainerArgs)
        super().__init__(
            "docker:index/container:Container",
            schema,
            container_rules.rules(schema),
            autonamed=True,
            always_delete_first=True,
            not_modelled=container_rules.NOT_MODELLED,
        )
        self._connection = connection
        self._cancelled = cancelled

    def failures(self, inputs: Mapping[str, Any]) -> Iterator[Failure]:
        found = list(super().failures(inputs))
        yield from found or container_rules.failures(inputs)

    def create(self, inputs: dict[str, Any]) -> Made:
        with self._connection.open() as client:
            container_rules.require_api(inputs, client.api_version)
            container_id = self._make(client, inputs)
            try:
                self._bring_up(client, container_id, inputs)
                inspected = client.inspect_container(container_id)
            except (APIError, RequestException, ProviderError) as error:
                said = reason(error) if isinstance(error, APIError) else str(error)
                raise InitializationError(
                    f"container {inputs['name']} was created, but: {said}",
                    resource_id=container_id,
                    outputs=self.recorded(inputs),
                ) from error
        return Made(
            resource_id=container_id, outputs=container_state.outputs(self.recorded(inputs), inspected)
        )

    def read(self, resource_id: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
        del state
        with self._connection.open() as client:
            try:
                inspected = client.inspect_container(resource_id)
            except NotFound:
                return None
        return container_state.outputs(self.recorded(inputs), inspected)

    def update(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        changed = {change.property for change in self.diff(state, news).changes}
        with self._connection.open() as client:
            if changed & container_rules.UPDATED_IN_PLACE:
                client.update_container(
                    resource_id,
                    cpu_shares=news.get("cpuShares"),
                    cpuset_cpus=news.get("cpuSet"),
                    mem_limit=container_request.megabytes(news.get("memory", 0)),
                    mem_reservation=container_request.megabytes(news.get("memoryReservation", 0)),
                    memswap_limit=container_request.megabytes(news.get("memorySwap", 0)),
                    restart_policy=container_request.restart_policy(news),  # type: ignore[arg-type]
                )
            if "mustRun" in changed and news.get("mustRun", True):
                client.start(resource_id)
            inspected = client.inspect_container(resource_id)
        return {**self.updated(state, news), **container_state.networks(inspected)}

    def delete(self, resource_id: str, state: dict[str, Any]) -> None:
        with self._connection.open() as client:
            try:
                client.stop(resource_id, timeout=state.get("destroyGraceSeconds", 0))
                client.remove_container(resource_id, v=state.get("removeVolumes", True), force=True)
            except NotFound:
                return

    def _make(self, client: docker.APIClient, inputs: dict[str, Any]) -> str:
        body = container_request.body(inputs)
        try:
            made = client.create_container_from_config(  # type: ignore[no-untyped-call]
                body, name=inputs["name"], platform=inputs.get("platform")
            )
        except ImageNotFound as error:
            raise ProviderError(
                f"container {inputs['name']}: image {inputs['image']} is not on the Docker host. "
                f"Let a docker.RemoteImage fetch it and pass its image_id."
            ) from error
        return str(made["Id"])

    def _bring_up(self, client: docker.APIClient, container_id: str, inputs: dict[str, Any]) -> None:
        """Everything between the creation of a container and its readiness."""
        self._connect(client, container_id, inputs.get("networksAdvanced", []))
        if inputs.get("uploads"):
            uploads.copy(client, container_id, inputs["uploads"])
        if inputs.get("start", True):
            client.start(container_id)
            if inputs.get("wait"):
                seconds = inputs.get("waitTimeout", container_rules.DEFAULTS["waitTimeout"])
                wait_until_healthy(client, container_id, seconds, self._cancelled)

    def _connect(self, client: docker.APIClient, container_id: str, networks: list[dict[str, Any]]) -> None:
        """Leave the default network for the named ones."""
        if not networks:
            return
        try:
            client.disconnect_container_from_network(container_id, "bridge")
        except APIError as error:
            if "is not connected to" not in reason(error):
                raise
        for network in networks:
            arguments = container_request.endpoint(network)
            client.connect_container_to_network(container_id, network["name"], **arguments)
