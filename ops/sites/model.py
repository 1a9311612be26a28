"""What operators need from the place where a stack runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ops.backup.volumes import Volumes
from ops.finding import Finding
from ops.health.model import Reading
from ops.inventory import Inventory
from ops.kafka.tools import Tools
from ops.outputs import StackOutputs
from ops.pulumi.toolchain import Choice


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found before a stack is brought up.

    Attributes:
        findings: of every check.
        choice: how the engine will be provided.
        later: checks of what only runs once the toolchain is there.
    """

    findings: Sequence[Finding]
    choice: Choice
    later: Callable[[], Sequence[Finding]] | None = None


class Site(Protocol):
    """The place where a stack runs."""

    def examine(self) -> Examination:
        """Check everything that ``up`` needs, change nothing.

        Raises:
            OpsError: no toolchain is available.
        """

    def choose(self) -> Choice:
        """Choose the toolchain alone.

        Raises:
            OpsError: none is available.
        """

    def reached(
        self, outputs: StackOutputs, *, usual_ports: bool = False
    ) -> AbstractContextManager[StackOutputs]:
        """Give the outputs with addresses that this machine reaches, for as long as the context lasts.

        Args:
            outputs: of the stack.
            usual_ports: where ports are opened for it, open the programs' well-known ones.

        Raises:
            OpsError: nothing can be reached.
        """

    def readings(self, inventory: Inventory) -> Iterable[Reading]:
        """Read how programs and volumes are; what cannot be read becomes a reading too."""

    def removed(self, resources: Iterable[Mapping[str, Any]]) -> list[str]:
        """Give the URNs of what somebody has removed by hand, of the resources of an exported state.

        Raises:
            OpsError: this cannot be told.
        """

    def declared_outputs(self) -> StackOutputs | None:
        """Give the outputs of a stack that others apply from Git; None where the engine's state has them."""

    def kafka(self) -> Tools:
        """Give Kafka's tools.

        Raises:
            OpsError: the stack has no Kafka, or it cannot be reached.
        """

    def password(self) -> str | None:
        """Give Grafana's admin password where somebody else keeps it; None where the state has it.

        Raises:
            OpsError: it cannot be read.
        """

    def data(self, inventory: Inventory) -> str:
        """Name what holds the data, for people.

        Raises:
            OpsError: it cannot be listed.
        """

    def stop_peers(self, inventory: Inventory) -> None:
        """Stop together, before they are removed, replicas that need each other in order to stop well.

        Raises:
            OpsError: this failed.
        """

    def forget_data(self) -> None:
        """Remove the data that the engine has left, after the stack is gone.

        Raises:
            OpsError: not all could be removed.
        """

    def volumes(self) -> Volumes:
        """Give the volumes, for backup and restore.

        Raises:
            OpsError: here they are backed up in another way; it says how.
        """

    def log_of(self, program: str) -> str:
        """The command that shows a program's log."""

    def ways_in(self) -> str:
        """What to type so that a browser on this machine reaches the addresses; empty if it already does."""
