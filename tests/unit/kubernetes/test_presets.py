"""The rules over all Kubernetes objects hold for every variant at every size."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kubernetes.rules import RULES
from tests.support.manifests import tree
from tests.support.phase4 import broken
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS, ON_CLUSTER

PRESETS = ("small", "medium", "large")


def resized(name: str, preset: str) -> dict[str, Any]:
    """Give a variant at another size; what it says about individual programs stays."""
    sizing = {**ON_CLUSTER[name].get("sizing", {}), "preset": preset}
    sizing.pop("eventsPerSecond", None)
    return {**ON_CLUSTER[name], "sizing": sizing}


KNOWN = [
    {**config, "sizing": {"preset": "small", **config.get("sizing", {})}} for config in ON_CLUSTER.values()
]
"""What the variants are at their own size."""

OTHER_SIZES = [
    (name, preset) for name in ON_CLUSTER for preset in PRESETS if resized(name, preset) not in KNOWN
]


@pytest.mark.parametrize(("name", "preset"), OTHER_SIZES)
def test_rules_hold_at_every_size(name: str, preset: str) -> None:
    config = resized(name, preset)
    found = tree(run_program(config), config)
    breaks = broken if name in OBJECT_VARIANTS else lambda objects, rule: RULES[rule](objects)
    assert [message for rule in RULES for message in breaks(found, rule)] == []
