"""Workloads as containers of one Docker Engine.

Every root filesystem is read-only. Docker refuses to copy files into such a container, so configuration
goes through a volume: a container of the same image that is created but never started takes the uploads into
the volume, and the program mounts it read-only. The volume's name carries a hash of the text, so new text is
a new volume and the old one stays intact until nothing uses it any more; so does a new version of the image,
whose container could not be made while the old one has its name. Secret files, whose text is in no name, are
replaced in the volume that there is, and the replicas, which have a hash of them, one after the other.

A new volume belongs to root, unless the image has the directory it is mounted on. Where the program's own
image has none, another never-started container mounts the volume on a directory with the right owner in
another image, and Docker passes the owner on. No process runs as root for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_docker as docker

from components.images import Image, Images
from components.platform.container_fields import (
    aliases,
    container_names,
    cores,
    environment,
    health,
    own_volume,
    ready_command,
    temporary,
)
from components.platform.digest import digest
from components.publication import HostPort
from components.values.quantities import Size, mebibytes
from components.values.secret_text import ExistingSecret
from components.workload import DataVolume, Deployed, Probe, Workload

NETWORK = "observability"

NOT_APPLIED = ["healthcheck", "tmpfs", "init"]
"""Fields of a container for which the provider accepts a change without applying it."""

SECRETS = "otel-stack.secrets"
"""Label with a hash of a container's secret files."""

LOG_ROTATION = {"max-size": "10m", "max-file": "3"}
IDLE_MEMORY = mebibytes(16)


class DockerPlatform:
    """Runs workloads on one Docker Engine, in one network."""

    def __init__(self, *, host: str, images: Images) -> None:
        """Set the engine; nothing is contacted before the update itself."""
        self._images = images
        self._provider = docker.Provider("docker", host=host)
        opts = pulumi.ResourceOptions(provider=self._provider)
        self._network = docker.Network(NETWORK, name=NETWORK, driver="bridge", opts=opts)
        self._pulled: dict[str, docker.RemoteImage] = {}

    @property
    def component_options(self) -> pulumi.ResourceOptions:
        """Options for components, so that what they create is on this engine."""
        return pulumi.ResourceOptions(providers=[self._provider])

    def run(
        self, workload: Workload, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> Deployed:
        """Run a workload as containers with their volumes and one configuration.

        Replicas are started, and replaced by later updates, one after the other.

        Raises:
            ValueError: another program is to run beside it, which Docker containers cannot do.
        """
        if workload.companions:
            beside = [companion.name for companion in workload.companions]
            raise ValueError(f"{workload.name}: a Docker container runs one program, not {beside} as well")
        config_volume, config = self._config(workload, parent)
        ready: list[pulumi.Resource] = []
        names = container_names(workload)
        for name in names:
            before = [*after, *ready[-1:], config]
            others_wait = name != names[-1]
            container = self._container(
                name, workload, config_volume, parent=parent, after=before, others_wait=others_wait
            )
            asks_itself = workload.probe.command is not None
            ready.append(container if asks_itself else self._probe(name, workload.probe, container, parent))
        return Deployed(workload=workload, host=workload.name, ready=ready)

    def _container(
        self,
        name: str,
        workload: Workload,
        config_volume: str,
        *,
        parent: pulumi.Resource,
        after: Sequence[pulumi.Resource],
        others_wait: bool,
    ) -> docker.Container:
        own = [replace(volume, name=own_volume(volume.name, name, workload)) for volume in workload.volumes]
        made = [self._data_volume(workload.image, volume, parent) for volume in own]
        configuration = docker.ContainerVolumeArgs(
            volume_name=config_volume, container_path=workload.config_directory, read_only=True
        )
        return docker.Container(
            name,
            **self._confined(name, workload.image, workload.resources.memory),
            memory_reservation=workload.resources.reserved_memory.mebibytes,
            cpus=cores(workload.resources.cpus),
            command=list(workload.args) or None,  # an empty list would differ from the image's own
            entrypoints=None if workload.entry_point is None else list(workload.entry_point),
            envs=environment(workload, name),
            ports=_published(workload),
            labels=_secrets_label(workload),
            networks_advanced=[{"name": self._network.name, "aliases": aliases(name, workload)}],
            volumes=[*_mounted(own), configuration],
            tmpfs=temporary(workload),
            restart="unless-stopped",
            stop_timeout=workload.stop_grace.seconds,
            destroy_grace_seconds=workload.stop_grace.seconds,
            **health(workload.probe, ready_command(workload.probe, others_wait=others_wait)),
            opts=_options(parent, after=[*after, *made]),
        )

    def _data_volume(self, image: Image, volume: DataVolume, parent: pulumi.Resource) -> pulumi.Resource:
        made = docker.Volume(volume.name, name=volume.name, opts=pulumi.ResourceOptions(parent=parent))
        if image.owned_directory == volume.path:
            return made
        owner = self._images.owner_of(image)
        return self._never_started(
            f"{volume.name}-owner",
            owner,
            parent=parent,
            after=[made],
            volumes=[{"volume_name": volume.name, "container_path": owner.owned_directory}],
        )

    def _config(self, workload: Workload, parent: pulumi.Resource) -> tuple[str, pulumi.Resource]:
        name = f"{workload.name}-config-{digest(workload.files, 8, workload.image.version)}"
        volume = docker.Volume(name, name=name, opts=pulumi.ResourceOptions(parent=parent))
        root = workload.config_directory
        uploads: list[dict[str, Any]] = [
            {"file": f"{root}/{path}", "content": content} for path, content in sorted(workload.files.items())
        ]
        uploads += [
            {"file": f"{root}/{path}", "content": content, "permissions": "0444"}
            for path, content in _secrets(workload)
        ]
        container = self._never_started(
            name,
            workload.image,
            parent=parent,
            after=[volume],
            volumes=[{"volume_name": name, "container_path": root}],
            uploads=uploads,
        )
        return name, container

    def _probe(
        self, asked: str, probe: Probe, container: docker.Container, parent: pulumi.Resource
    ) -> docker.Container:
        """Run a small container that checks a program whose own image has nothing to check it with."""
        name = f"{asked}-ready"
        url = f"http://{asked}:{probe.port}{probe.path}"
        return docker.Container(
            name,
            **self._confined(name, self._images["prometheus"], IDLE_MEMORY),
            entrypoints=["/bin/sh", "-c", "while :; do sleep 3600; done"],
            networks_advanced=[{"name": self._network.name}],
            restart="unless-stopped",
            stop_signal="SIGKILL",
            **health(probe, ("wget", "-q", "-O", "/dev/null", url)),
            opts=_options(parent, after=[container], replace_with=[container]),
        )

    def _never_started(
        self,
        name: str,
        image: Image,
        *,
        parent: pulumi.Resource,
        after: Sequence[pulumi.Resource],
        **args: Any,
    ) -> docker.Container:
        return docker.Container(
            name,
            **self._confined(name, image, IDLE_MEMORY, read_only=False),
            start=False,
            must_run=False,
            restart="no",
            opts=_options(parent, after=after),
            **args,
        )

    def _confined(self, name: str, image: Image, memory: Size, *, read_only: bool = True) -> dict[str, Any]:
        """Return what every container has: fixed name and image, limits, rotated logs, no privileges."""
        return {
            "name": name,
            "image": self._pull(image),
            "user": image.user,
            "memory": memory.mebibytes,
            "memory_swap": memory.mebibytes,
            "network_mode": "bridge",
            "log_driver": "json-file",
            "log_opts": LOG_ROTATION,
            "capabilities": {"drops": ["ALL"]},
            "security_opts": ["no-new-privileges:true"],
            "read_only": read_only,
        }

    def _pull(self, image: Image) -> pulumi.Output[str]:
        reference = image.reference
        if reference not in self._pulled:
            self._pulled[reference] = docker.RemoteImage(
                reference,  # a new version is a new resource: the preview then shows what it replaces
                name=reference,
                keep_locally=True,
                opts=pulumi.ResourceOptions(provider=self._provider),
            )
        return self._pulled[reference].image_id


def _options(
    parent: pulumi.Resource,
    *,
    after: Sequence[pulumi.Resource],
    replace_with: Sequence[pulumi.Resource] = (),
) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(
        parent=parent,
        depends_on=list(after),
        replace_on_changes=NOT_APPLIED,
        replace_with=list(replace_with),
        delete_before_replace=True,
    )


def _secrets(workload: Workload) -> list[tuple[str, pulumi.Input[str]]]:
    """Return the texts of secret files.

    Raises:
        TypeError: one is managed by others, for which an engine has no place.
    """
    found: list[tuple[str, pulumi.Input[str]]] = []
    for path, content in sorted(workload.secret_files.items()):
        if isinstance(content, ExistingSecret):
            raise TypeError(f"{workload.name}: {path}: Docker has no secret {content.name!r} to refer to")
        found.append((path, content))
    return found


def _secrets_label(workload: Workload) -> list[docker.ContainerLabelArgs] | None:
    """Mark a container with a hash of its secret files, if any: others are another container."""
    found = dict(_secrets(workload))
    if not found:
        return None
    hashed = pulumi.Output.all(**found).apply(lambda files: digest(files, 16))
    return [docker.ContainerLabelArgs(label=SECRETS, value=hashed)]


def _published(workload: Workload) -> list[docker.ContainerPortArgs]:
    return [
        docker.ContainerPortArgs(
            internal=port.number, external=port.published.port, ip=port.published.address
        )
        for port in sorted(workload.ports, key=lambda port: port.number)
        if isinstance(port.published, HostPort)
    ]


def _mounted(volumes: Sequence[DataVolume]) -> list[docker.ContainerVolumeArgs]:
    return [
        docker.ContainerVolumeArgs(volume_name=volume.name, container_path=volume.path) for volume in volumes
    ]
