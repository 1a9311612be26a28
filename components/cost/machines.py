"""Which machines hold the programs of a phase, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from components.cost.prices import Machine
from components.cost.programs import Program

FEWEST = 3
"""Fewest nodes of a cluster: one for each copy of Kafka's records."""

USABLE = 0.9
"""Fraction of a machine that its system leaves free."""

ROUNDING = 1e-6
"""Nodes by which sums of fractions may be wrong."""

BUSY_CPUS = 0.5
"""Fraction of their CPU limits that programs use together: limits are for bursts, which do not coincide."""


@dataclass(kw_only=True)
class _Node:
    """A node that some pods have been given to.

    Attributes:
        memory: bytes that are free.
        cpus: cores that no pod has requested.
        names: programs that it has a pod of.
    """

    memory: float
    cpus: float
    names: set[str] = field(default_factory=set)

    def has_room(self, program: Program) -> bool:
        return (
            program.each.memory.bytes <= self.memory
            and program.requested_cpus <= self.cpus
            and not (program.apart and program.name in self.names)
        )

    def free(self, machine: Machine) -> float:
        """Add up the shares of memory and cores that are free, by which Kubernetes compares nodes."""
        return self.memory / machine.memory.bytes + self.cpus / machine.cpus

    def take(self, program: Program) -> None:
        self.memory -= program.each.memory.bytes
        self.cpus -= program.requested_cpus
        self.names.add(program.name)


def cheapest(
    programs: Sequence[Program], machines: Sequence[Machine], *, cluster: bool
) -> tuple[Machine | None, int]:
    """Find the cheapest machines that hold all programs: one, or for a cluster at least three.

    Returns:
        The machine and how many of it; none where no machine is large enough.
    """
    fitting: list[tuple[float, Machine, int]] = []
    for machine in machines:
        count = nodes(programs, machine) if cluster else int(_holds_all(programs, machine))
        if count:
            fitting.append((count * machine.per_hour, machine, count))
    if not fitting:
        return None, 0
    _, machine, count = min(fitting, key=lambda option: option[0])
    return machine, count


def nodes(programs: Sequence[Program], machine: Machine) -> int:
    """Count the nodes that hold every pod whole, whatever the order in which they are placed.

    Kubernetes gives each pod to the emptiest node with room. That is worst where the small ones come first
    and leave none for the large ones, so this is how they are placed here.

    Returns:
        0 where a pod is larger than the machine.
    """
    if not all(_empty(machine).has_room(one) for one in programs):
        return 0
    small_first = sorted(programs, key=lambda one: _share(one, machine))
    pods = [one for one in small_first for _ in range(one.replicas)]
    fewest = max(FEWEST, _full_nodes(pods, machine))
    return next(count for count in range(fewest, fewest + len(pods)) if _all_find_room(pods, machine, count))


def _full_nodes(pods: Sequence[Program], machine: Machine) -> int:
    """Count the nodes that all pods together fill: no fewer can hold them."""
    empty = _empty(machine)
    memory = sum(one.each.memory.bytes for one in pods) / empty.memory
    return ceil(max(memory, sum(one.requested_cpus for one in pods) / empty.cpus) - ROUNDING)


def _all_find_room(pods: Sequence[Program], machine: Machine, count: int) -> bool:
    made = [_empty(machine) for _ in range(count)]
    for pod in pods:
        fitting = [one for one in made if one.has_room(pod)]
        if not fitting:
            return False
        max(fitting, key=lambda one: one.free(machine)).take(pod)
    return True


def _holds_all(programs: Sequence[Program], machine: Machine) -> bool:
    empty = _empty(machine)
    memory = sum(program.replicas * program.each.memory.bytes for program in programs)
    cpus = sum(program.replicas * program.each.cpus for program in programs) * BUSY_CPUS
    return memory <= empty.memory and cpus <= empty.cpus


def _share(program: Program, machine: Machine) -> float:
    empty = _empty(machine)
    return max(program.each.memory.bytes / empty.memory, program.requested_cpus / empty.cpus)


def _empty(machine: Machine) -> _Node:
    return _Node(memory=machine.memory.bytes * USABLE, cpus=machine.cpus * USABLE)
