"""Reads and fills volumes through Docker's archive interface.

A volume is reached through a container that is created with it and never started: nothing runs, so nothing
needs a shell, a user or a network, and owners and modes are preserved. Any image that is already here
will do.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

import docker
import requests
from docker.errors import ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import Mount

from ops.backup.archive import CHUNK, ChunkReader
from ops.errors import OpsError

LABEL = "otel-stack.helper"


class Volumes:
    """The data volumes of one Docker Engine."""

    def __init__(self, client: docker.DockerClient, images: Sequence[str]) -> None:
        """Use the engine's API and one of these images."""
        self._client = client
        self._images = images

    def exists(self, name: str) -> bool:
        """Is there such a volume?"""
        return self._attributes(name) is not None

    def is_empty(self, name: str) -> bool:
        """Is the volume empty?"""
        with self.reading(name) as chunks, tarfile.open(mode="r|", fileobj=ChunkReader(chunks)) as archive:
            archive.next()
            return archive.next() is None

    def users(self, name: str) -> list[str]:
        """Containers, running or not, that mount the volume."""
        found = self._client.api.containers(all=True, filters={"volume": name})
        return sorted(str(one["Names"][0]).lstrip("/") for one in found)

    def running_users(self, name: str) -> list[Container]:
        """Containers that run, or are paused, and mount the volume."""
        status = ["running", "paused"]
        found: list[Container] = self._client.containers.list(filters={"volume": name, "status": status})
        return found

    @contextmanager
    def reading(self, name: str) -> Iterator[Iterator[bytes]]:
        """Give the volume as a tar stream whose root folder bears the volume's name."""
        with (
            self._helper(name, read_only=True) as helper,
            closing(self._archive(helper, f"/{name}")) as answer,
        ):
            yield answer.iter_content(CHUNK, decode_unicode=False)

    def _archive(self, container: Container, path: str) -> requests.Response:
        """Ask for an archive that can be closed early: the engine locks the container until its end."""
        api = self._client.api
        url = f"{api.base_url}/v{api.api_version}/containers/{container.id}/archive"
        answer = api.get(url, params={"path": path}, stream=True)
        answer.raise_for_status()
        return answer

    def replace(self, name: str, chunks: Iterable[bytes]) -> None:
        """Replace everything in the volume with a tar stream, as given by ``reading``.

        The volume is created anew, with the driver, options and labels that it had.

        Raises:
            docker.errors.APIError: a container uses the volume, or the stream cannot be unpacked.
            OpsError: no image is there; nothing has changed.
        """
        self._image()  # without one nothing may be removed
        before = self._attributes(name) or {}
        if before:
            self._client.volumes.get(name).remove()
        self._client.volumes.create(
            name,
            driver=before.get("Driver", "local"),
            driver_opts=before.get("Options") or {},
            labels=before.get("Labels") or {},
        )
        with self._helper(name, read_only=False) as helper:
            helper.put_archive("/", iter(chunks))

    def _attributes(self, name: str) -> dict[str, Any] | None:
        try:
            attributes: dict[str, Any] = self._client.volumes.get(name).attrs
        except NotFound:
            return None
        return attributes

    @contextmanager
    def _helper(self, name: str, *, read_only: bool) -> Iterator[Container]:
        helper: Container = self._client.containers.create(
            self._image(),
            entrypoint=["never-started"],
            mounts=[Mount(target=f"/{name}", source=name, type="volume", read_only=read_only, no_copy=True)],
            network_mode="none",
            labels={LABEL: "volume"},
        )
        try:
            yield helper
        finally:
            helper.remove(force=True)

    def _image(self) -> str:
        """The id of an image that is here; creating a container by id never pulls."""
        for reference in self._images:
            with suppress(ImageNotFound):
                return str(self._client.images.get(reference).id)
        raise OpsError("none of the stack's images is on this Docker Engine", "make up brings them", status=2)
