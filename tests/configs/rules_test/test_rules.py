"""Prometheus's own tool checks the rules and runs them against made-up series."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CONFIGS = HERE.parents[2] / "configs"
RULES = sorted(path for folder in ("prometheus", "mimir") for path in CONFIGS.glob(f"{folder}/rules*/*.yaml"))
CASES = sorted(HERE.glob("*.yaml"))
CASE_SECONDS = 500
"""Half a day of made-up time takes a minute of a core, of which a busy machine gives a part."""


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CASE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_are_valid(promtool: str) -> None:
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_rules_fire_when_they_should(promtool: str, case: Path) -> None:
    run(promtool, "test", "rules", case)
