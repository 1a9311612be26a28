"""Puts a stack, its state and an engine together, for commands that need all three."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ops.engine import Pulumi
from ops.errors import OpsError
from ops.outputs import StackOutputs
from ops.project import Stack, load_stack
from ops.state import EngineState, prepare_state
from ops.toolchain import at_hand, choose, provide


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
        """Read what the stack exports.

        Raises:
            OpsError: it has not been brought up.
        """
        values = self.pulumi.json("stack", "output", "--json") if self.pulumi.exists() else {}
        if not values:
            raise OpsError(
                f"the stack {self.stack.name} is not up", f"run: make up STACK={self.stack.name}", status=2
            )
        return StackOutputs(values)

    def urns(self) -> list[str]:
        """Names of all resources that the engine knows of the stack."""
        return [str(resource["urn"]) for resource in self.export()["deployment"].get("resources", [])]

    def export(self, *flags: str) -> Mapping[str, dict[str, list[dict[str, object]]]]:
        """The stack's state as the engine exports it."""
        exported: Mapping[str, dict[str, list[dict[str, object]]]] = self.pulumi.json(
            "stack", "export", *flags
        )
        return exported


def reading(name: str) -> Session:
    """Open a stack for reading its state, with whatever engine is here already.

    Raises:
        OpsError: there is no such stack, or no engine.
    """
    stack = load_stack(name)
    return bind(stack, at_hand())


def working(name: str) -> Session:
    """Open a stack for work on its resources, with the whole toolchain.

    Raises:
        OpsError: there is no such stack, or the toolchain is not to be had.
    """
    stack = load_stack(name)
    needed = provide(choose(None, ()), phase=stack.settings.phase, docker_host=stack.docker_host())
    return bind(stack, needed)


def bind(stack: Stack, toolchain: Mapping[str, str]) -> Session:
    """Bind a stack to its state and a toolchain.

    Raises:
        OpsError: the state's folder is not usable.
    """
    state = prepare_state(stack)
    return Session(stack=stack, state=state, pulumi=Pulumi(stack, state, toolchain))
