"""The base of every component: type token, outputs, how its workload is run."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.quantities import Duration
from components.sizing import ProgramSize
from components.workload import Deployed, Platform, Resources, Workload


class StackComponent(pulumi.ComponentResource):
    """A part of the stack that runs one workload.

    Attributes:
        deployed: the workload as it runs.
    """

    deployed: Deployed

    def __init__(self, name: str, platform: Platform) -> None:
        """Register the component under the platform's provider."""
        super().__init__(f"otel-stack:index:{type(self).__name__}", name, None, platform.component_options)

    def run(self, platform: Platform, workload: Workload, after: Sequence[StackComponent] = ()) -> Deployed:
        """Run the component's workload after other components are ready, and register its outputs."""
        ready = [resource for component in after for resource in component.deployed.ready]
        self.deployed = platform.run(workload, parent=self, after=ready)
        self.register_outputs({"host": self.deployed.host})
        return self.deployed


def limits(size: ProgramSize) -> Resources:
    """Turn a program's size into limits and reservations."""
    return Resources(memory=size.memory, reserved_memory=size.reserved_memory, cpus=size.cpus)


def hours(duration: Duration) -> str:
    """Write a duration in hours, the largest unit that every store's configuration knows."""
    return duration.in_unit("h")
