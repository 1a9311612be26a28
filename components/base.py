"""Base class of every component: type token, outputs, secrets, how its workloads are run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi
import pulumi_random as random

from components.sizing import ProgramSize
from components.values.quantities import Duration
from components.values.secret_text import ExistingSecret, SecretText
from components.workload import DataVolume, Deployed, Platform, Resources, Workload


class StackComponent(pulumi.ComponentResource):
    """A part of the stack that runs one or more workloads.

    Attributes:
        deployed: its deployed workload; of several, the one that others call. Kafka has none.
        ready: resources that exist only once the whole component answers; others start after them.
    """

    deployed: Deployed

    def __init__(self, name: str, platform: Platform) -> None:
        """Register the component under the platform's provider."""
        super().__init__(f"otel-stack:index:{type(self).__name__}", name, None, platform.component_options)
        self._platform = platform
        self.ready: list[pulumi.Resource] = []

    def run(self, workload: Workload, after: Iterable[StackComponent] = ()) -> Deployed:
        """Run a workload of the component after other components are ready, and register its outputs."""
        first = [resource for component in after for resource in component.ready]
        self.deployed = self.start(workload, first)
        self.register_outputs({"host": self.deployed.host})
        return self.deployed

    def start(self, workload: Workload, after: Sequence[pulumi.Resource] = ()) -> Deployed:
        """Run one of several workloads; the component still has to register its outputs."""
        deployed = self._platform.run(workload, parent=self, after=after)
        self.ready += deployed.ready
        return deployed

    def secret(self, key: str, existing: str | None) -> SecretText:
        """Refer to a key of an existing secret or, without one, generate 32 letters and digits for good."""
        if existing is not None:
            return ExistingSecret(name=existing, key=key)
        name, opts = f"{self.pulumi_resource_name}-{key}", pulumi.ResourceOptions(parent=self)
        return random.RandomPassword(name, length=32, special=False, opts=opts).result


def limits(size: ProgramSize) -> Resources:
    """Turn a program's size into limits and reservations."""
    return Resources(memory=size.memory, reserved_memory=size.reserved_memory, cpus=size.cpus)


def data_volumes(name: str, path: str, size: ProgramSize) -> list[DataVolume]:
    """Give a program the data volume that its size says it has, if any."""
    return [DataVolume(name=name, path=path, size=size.volume)] if size.volume.bytes else []


def hours(duration: Duration) -> str:
    """Write a duration in hours, the largest unit that every store's configuration knows."""
    return duration.in_unit("h")
