"""Phase 4's stacks under mocks, by the names of their variants. Each is made once: nobody may change it."""

from __future__ import annotations

from functools import cache

from tests.support.manifests import Tree, tree
from tests.support.program import Result, run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS


@cache
def result_of(name: str) -> Result:
    """Give what the program registers and exports."""
    return run_program(OBJECT_VARIANTS[name])


@cache
def objects_of(name: str) -> Tree:
    """Give the stack's objects."""
    return tree(result_of(name), OBJECT_VARIANTS[name])
