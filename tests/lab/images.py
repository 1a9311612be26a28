"""Lab images: names, users, entry points and folders of the official ones, made without a registry."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker
from docker.errors import APIError, BuildError, ImageNotFound

from tests.lab import alpine, store
from tests.lab.errors import LabError
from tests.lab.progress import say, step
from tests.lab.rootfs import RootFs

LABEL = "io.otel-stack.lab"
_ROOTFS = "rootfs.tar"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class LabImage:
    """One image: its official name and promises, and the function that fills it.

    Attributes:
        reference: the official name and tag.
        holds: what is really inside.
        phase: first phase of the stack that needs it.
        contents: fills the root file system.
        recipe: gives a digest of the program inside, so that a rebuilt program makes a new image.
        files: folder of the lab's own files that ``contents`` puts in.
    """

    reference: str
    holds: str
    phase: int
    user: str
    contents: Callable[[RootFs], None]
    recipe: Callable[[], str]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"
    files: Path | None = None

    def dockerfile(self) -> str:
        """The image's configuration, without the label of its recipe."""
        lines = ["FROM scratch", f"ADD {_ROOTFS} /"]
        lines += [f"ENV {name}={value}" for name, value in {"PATH": PATH, **self.environment}.items()]
        lines += [f"EXPOSE {port}/tcp" for port in self.ports]
        if self.volumes:
            lines.append(f"VOLUME {json.dumps(self.volumes)}")
        lines += [f"USER {self.user}", f"WORKDIR {self.workdir}", f"STOPSIGNAL {self.stop_signal}"]
        if self.entrypoint:
            lines.append(f"ENTRYPOINT {json.dumps(self.entrypoint)}")
        if self.command:
            lines.append(f"CMD {json.dumps(self.command)}")
        return "".join(f"{line}\n" for line in lines)

    def digest(self) -> str:
        """A digest of everything that goes into the image."""
        parts = [
            self.dockerfile(),
            self.recipe(),
            *(path.read_text() for path in self.sources()),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def sources(self) -> list[Path]:
        """The lab's own files that go into the image or decide what does."""
        modules = [Path(inspect.getfile(part)) for part in (self.contents, RootFs, alpine.tools)]
        return [*modules, *(sorted(self.files.iterdir()) if self.files else [])]


def missing(client: docker.DockerClient, wanted: Iterable[LabImage]) -> list[LabImage]:
    """Those of the wanted images that the engine lacks, or has from an older recipe of the lab.

    An image under the same name that the lab did not make is the official one and is kept.
    """
    return [image for image in wanted if not _is_there(client, image)]


def build(client: docker.DockerClient, image: LabImage) -> None:
    """Build one image in the engine.

    Raises:
        LabError: when the engine cannot build it, or a program for it has not been built.
    """
    labels = {LABEL: "true", f"{LABEL}.holds": image.holds, f"{LABEL}.recipe": image.digest()}
    context = store.folder("images") / re.sub("[/:]", "_", image.reference)
    with step(f"image {image.reference} ({image.holds})"):
        store.remove(context)
        context.mkdir()
        (context / "Dockerfile").write_text(image.dockerfile())
        with RootFs(context / _ROOTFS) as root:
            image.contents(root)
        try:
            client.images.build(path=str(context), tag=image.reference, labels=labels, rm=True, nocache=True)
        except (APIError, BuildError) as error:
            raise LabError(f"the Docker Engine did not build {image.reference}: {error}") from error
        finally:
            store.remove(context)


def drop_outdated(client: docker.DockerClient) -> None:
    """Delete the lab's images that a newer build has taken the name of and no container uses."""
    client.images.prune(filters={"dangling": True, "label": LABEL})


def _is_there(client: docker.DockerClient, image: LabImage) -> bool:
    try:
        labels = client.images.get(image.reference).labels
    except ImageNotFound:
        return False
    if LABEL not in labels:
        say(f"image {image.reference}: the engine has the official one, which is kept")
        return True
    return bool(labels.get(f"{LABEL}.recipe") == image.digest())
