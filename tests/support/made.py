"""What a variant's program makes on a cluster, and how it registers that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from pulumi.runtime.mocks import MockMonitor

from tests.support.manifests import Manifest, Tree, tree
from tests.support.program import run_program
from tests.support.variants_phase4 import ON_CLUSTER


def made(name: str, **sections: Any) -> Tree:
    """Run a variant's program, with some sections replaced."""
    config = {**ON_CLUSTER[name], **sections}
    return tree(run_program(config), config)


def annotations_of(one: Manifest) -> dict[str, str]:
    """Give an object's annotations."""
    found: dict[str, str] = one["metadata"].get("annotations", {})
    return found


def waits_of(one: Manifest) -> dict[str, str]:
    """Give what an object's annotations say of waiting for it."""
    waits = ("pulumi.com/skipAwait", "pulumi.com/waitFor")
    return {name: value for name, value in annotations_of(one).items() if name in waits}


@contextmanager
def requests() -> Iterator[list[Any]]:
    """Note how the program registers its resources."""
    found: list[Any] = []
    register: Callable[[MockMonitor, Any], Any] = MockMonitor.RegisterResource

    def noting(monitor: MockMonitor, request: Any) -> Any:
        found.append(request)
        return register(monitor, request)

    with mock.patch.object(MockMonitor, "RegisterResource", noting):
        yield found
