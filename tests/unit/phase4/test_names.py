"""By which names the engine knows what a stack of phase 4 has: each with its parents."""

from __future__ import annotations

import pytest

from tests.support.golden import GOLDEN, matches_golden
from tests.support.phase4 import result_of


@pytest.mark.parametrize("name", ["phase4-aws", "phase4-small", "phase4-split", "phase4-changing-over"])
def test_names_are_stable(name: str, request: pytest.FixtureRequest) -> None:
    """Another name or parent deletes and recreates it on every running stack: aliases first."""
    update = bool(request.config.getoption("--update-golden"))
    matches_golden(GOLDEN / name / "names.txt", "\n".join(result_of(name).places()) + "\n", update)
