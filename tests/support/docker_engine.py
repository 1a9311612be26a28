"""The Docker Engine that the tests use, and the images in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile

import docker
from docker.errors import DockerException, ImageNotFound
from docker.models.images import Image

from components.values.addresses import LOOPBACK
from ops.project import DEFAULT_DOCKER_HOST
from tests.support import own_engine
from tests.support.lab import HOW_TO_GET_IT, missing
from tests.support.program import CONTAINER, NETWORK, VOLUME, run_program


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A Docker Engine on which only the tests' stacks run.

    Attributes:
        host: its address.
        client: its API.
        address: where this machine reaches the ports that its containers publish.
        own: the engine itself, if it is one for the tests alone.
    """

    host: str
    client: docker.DockerClient
    address: str
    own: own_engine.OwnEngine | None = None

    def inventory(self) -> set[str]:
        """Name all containers, volumes and networks on it."""
        containers = {f"container {one.name}" for one in self.client.containers.list(all=True)}
        volumes = {f"volume {one.name}" for one in self.client.volumes.list()}
        return containers | volumes | {f"network {one.name}" for one in self.client.networks.list()}

    def restart(self, *, kill: bool) -> None:
        """Restart it with all of its containers, as a reboot of the machine does; see ``own_engine``."""
        if self.own is None:
            missing("only an engine of the tests' own is restarted")
        self.own.restart(kill=kill)

    def image_id(self, reference: str) -> str | None:
        """Give an image's id; None when the engine does not have it."""
        try:
            return str(self.client.images.get(reference).id)
        except ImageNotFound:
            return None

    def provide(self, references: Iterable[str]) -> None:
        """Provide images through the machine's own engine, which can reach their registries."""
        for reference in references:
            self._provide(reference)
        self.client.images.prune(filters={"dangling": True})

    def _provide(self, reference: str) -> None:
        try:
            with machines_own() as source:
                image = _present(source, reference)
                if image.id != self.image_id(reference):
                    self._load(image)
        except DockerException as error:
            if self.image_id(reference) is None:
                missing(f"image {reference} is not available ({error}); {HOW_TO_GET_IT}")

    def _load(self, image: Image) -> None:
        with TemporaryFile() as archive:
            archive.writelines(image.save(named=True))
            archive.seek(0)
            self.client.images.load(archive)


@contextmanager
def engine() -> Iterator[Engine]:
    """Give an engine of the tests' own where possible, else the machine's if no stack is on it."""
    obstacle = own_engine.obstacle()
    if not obstacle:
        with own_engine.running() as own:
            yield Engine(host=own_engine.HOST, client=own.client, address=own_engine.ADDRESS, own=own)
        return
    try:
        shared = machines_own()
    except DockerException as error:
        missing(f"no Docker Engine answers ({error}), and {obstacle}")
    with shared as client:
        host = os.environ.get("DOCKER_HOST", DEFAULT_DOCKER_HOST)
        found = Engine(host=host, client=client, address=LOOPBACK)
        taken = found.inventory() & _names_of_a_stack()
        if taken:
            advice = "remove it (make destroy), or run the tests as root, for an engine of their own"
            missing(f"a stack is on the Docker Engine already ({', '.join(sorted(taken))}): {advice}")
        yield found


def machines_own() -> AbstractContextManager[docker.DockerClient]:
    """Connect to the engine that people use on this machine.

    Raises:
        DockerException: none answers.
    """
    return closing(docker.from_env(timeout=120))


def _present(source: docker.DockerClient, reference: str) -> Image:
    try:
        return source.images.get(reference)
    except ImageNotFound:
        return source.images.pull(reference)


def _names_of_a_stack() -> set[str]:
    kinds = {CONTAINER: "container", VOLUME: "volume", NETWORK: "network"}
    return {f"{kinds[one.type]} {one.name}" for one in run_program().resources if one.type in kinds}
