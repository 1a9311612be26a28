"""Puts a stack, its state and an engine together, for commands that need all three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ops.errors import OpsError
from ops.inventory import Inventory, take_inventory
from ops.outputs import StackOutputs
from ops.project import Stack, load_stack
from ops.pulumi.engine import Pulumi
from ops.pulumi.state import EngineState, prepare_state
from ops.pulumi.toolchain import at_hand, choose, provide_engine
from ops.sites import Site, site_of


@dataclass(frozen=True, kw_only=True)
class Session:
    """One command's view of a stack.

    Attributes:
        stack: its committed files.
        state: where the engine keeps its state.
        pulumi: the engine, bound to both.
    """

    stack: Stack
    state: EngineState
    pulumi: Pulumi

    def outputs(self) -> StackOutputs:
        """Read what the stack exports; where others apply it from Git, what its settings say.

        Raises:
            OpsError: it has not been brought up.
        """
        values = self.pulumi.json("stack", "output", "--json") if self.pulumi.exists() else {}
        if values:
            return StackOutputs(values)
        declared = self.site.declared_outputs()
        if declared is None:
            raise self._not_up()
        return declared

    def resources(self, *flags: str) -> list[Mapping[str, Any]]:
        """The resources in the stack's state, as the engine exports them.

        Raises:
            OpsError: the stack does not exist.
        """
        if not self.pulumi.exists():
            raise self._not_up()
        return self.pulumi.exported(self.stack.name, *flags)

    def inventory(self) -> Inventory:
        """What the stack has where it runs; empty where others apply it from Git.

        Raises:
            OpsError: the stack does not exist.
        """
        if self.site.declared_outputs() is not None and not self.pulumi.exists():
            return take_inventory([])
        return take_inventory(self.resources())

    @property
    def site(self) -> Site:
        """Where the stack runs."""
        return site_of(self.stack, self.pulumi.environment())

    @contextmanager
    def reached(self, *, usual_ports: bool = False) -> Iterator[StackOutputs]:
        """Give the outputs with addresses that this machine reaches, for as long as the context lasts.

        Args:
            usual_ports: where ports are opened for it, open the programs' well-known ones.

        Raises:
            OpsError: the stack has not been brought up, or cannot be reached at all.
        """
        with self.site.reached(self.outputs(), usual_ports=usual_ports) as outputs:
            yield outputs

    def _not_up(self) -> OpsError:
        name = self.stack.name
        return OpsError(f"the stack {name} is not up", f"run: make up STACK={name}", status=2)


def reading(name: str) -> Session:
    """Open a stack for reading its state, with whatever engine is already here.

    Raises:
        OpsError: there is no such stack, or no engine.
    """
    stack = load_stack(name)
    return bind(stack, at_hand())


def working(name: str) -> Session:
    """Open a stack for work on its resources, with CLI and plugins.

    Raises:
        OpsError: there is no such stack, or the toolchain is not available.
    """
    stack = load_stack(name)
    phase, docker_host = stack.settings.phase, stack.docker_host
    return bind(stack, provide_engine(choose(None, ()), phase=phase, docker_host=docker_host))


def bind(stack: Stack, toolchain: Mapping[str, str]) -> Session:
    """Bind a stack to its state and a toolchain.

    Raises:
        OpsError: the state's folder is not usable.
    """
    state = prepare_state(stack)
    return Session(stack=stack, state=state, pulumi=Pulumi(stack, state, toolchain))
