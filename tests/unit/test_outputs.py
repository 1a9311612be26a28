"""The contract of outputs, where phase 4 adds to it."""

from __future__ import annotations

import dataclasses
import re

from components.composition.object_outputs import ObjectOutputs
from components.composition.outputs import Outputs
from tests.support.program import ROOT


def names(outputs: type[Outputs]) -> set[str]:
    return {field.name for field in dataclasses.fields(outputs)}


def test_what_phase_4_adds_is_documented() -> None:
    text = (ROOT / "docs/outputs.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^- `(\w+)` \(", text, re.MULTILINE))
    assert documented == names(ObjectOutputs) - names(Outputs)
