"""``docker.RemoteImage``: an image that is on the Docker host, pulled only when it is not there yet."""

from __future__ import annotations

from typing import Any

import docker
import pulumi_docker
from docker.errors import APIError, ImageNotFound

from tests.lab.providers.diff import Rules
from tests.lab.providers.docker.client import Connection, reason
from tests.lab.providers.errors import ProviderError
from tests.lab.providers.resource import Made, Resource
from tests.lab.providers.schema import resource_schema


class RemoteImage(Resource):
    """A new ``name`` updates in place; only the update itself, not its preview, knows the new image id."""

    def __init__(self, connection: Connection) -> None:
        schema = resource_schema(pulumi_docker.RemoteImage, pulumi_docker.RemoteImageArgs)
        super().__init__(
            "docker:index/remoteImage:RemoteImage",
            schema,
            Rules(force_new=frozenset({"pullTriggers", "triggers", "platform", "build"})),
            not_modelled=frozenset({"build"}),
        )
        self._connection = connection

    def create(self, inputs: dict[str, Any]) -> Made:
        image = self._present(inputs)
        outputs = {**self.recorded(inputs), **_outputs(image, inputs["name"])}
        return Made(resource_id=image["Id"] + inputs["name"], outputs=outputs)

    def read(self, resource_id: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
        del resource_id, state
        with self._connection.open() as client:
            image = _local(client, inputs["name"])
        return image and {**self.recorded(inputs), **_outputs(image, inputs["name"])}

    def update(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        del resource_id, state
        return {**self.recorded(news), **_outputs(self._present(news), news["name"])}

    def delete(self, resource_id: str, state: dict[str, Any]) -> None:
        del resource_id
        if state.get("keepLocally"):
            return
        with self._connection.open() as client:
            try:
                client.remove_image(state["name"], force=state.get("forceRemove", False))
            except ImageNotFound:
                return

    def _present(self, inputs: dict[str, Any]) -> dict[str, Any]:
        name = inputs["name"]
        with self._connection.open() as client:
            image = _local(client, name)
            if image is None:
                self._pull(client, name, inputs.get("platform"))
                image = _local(client, name)
        if image is None:
            raise ProviderError(_not_to_be_had(name, "the pull ended without it"))
        return image

    def _pull(self, client: docker.APIClient, name: str, platform: str | None) -> None:
        repository, tag = _split(name)
        login = self._connection.login(_registry(name))
        try:
            for line in client.pull(
                repository, tag=tag, stream=True, decode=True, auth_config=login, platform=platform
            ):
                if "error" in line:
                    raise ProviderError(_not_to_be_had(name, line["error"]))
        except APIError as error:
            raise ProviderError(_not_to_be_had(name, reason(error))) from error


def _local(client: docker.APIClient, name: str) -> dict[str, Any] | None:
    try:
        return dict(client.inspect_image(name))  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return None


def _not_to_be_had(name: str, why: str) -> str:
    return (
        f"image {name} is not on the Docker host, and pulling it failed: {why}. Without a way to its "
        f"registry, put it there first (docker load; `python -m tests.lab prepare` makes the project's own), "
        f"or name a mirror that can be reached."
    )


def _split(name: str) -> tuple[str, str]:
    """Repository, and digest, else tag, else ``latest``; a name alone never means all tags."""
    named, _, digest = name.partition("@")
    folder, slash, last = named.rpartition("/")
    base, _, tag = last.partition(":")
    return folder + slash + base, digest or tag or "latest"


def _registry(name: str) -> str:
    first, slash, _ = name.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _outputs(image: dict[str, Any], name: str) -> dict[str, Any]:
    repository, _ = _split(name)
    digests = [digest for digest in image.get("RepoDigests") or [] if digest.partition("@")[0] == repository]
    return {"name": name, "imageId": image["Id"], "repoDigest": digests[0] if digests else ""}
