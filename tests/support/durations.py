"""How long tests took, by group; several runs of pytest may add to one report."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

GROUPS = {
    "tests/kubernetes": "Kubernetes",
    "tests/e2e/phase3": "Kubernetes",
    "tests/e2e/phase4": "Kubernetes",
    "tests/e2e": "Docker",
}
"""By the beginning of a test's path, the first that fits; the other groups are the folders of ``tests``."""


class Durations:
    """Adds up what the tests of a run took, their fixtures included, and appends it to the report."""

    def __init__(self, report: Path) -> None:
        """Start with nothing."""
        self._report = report
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of a test: its setup, its call or its teardown."""
        self._seconds[group_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Append one line, of JSON."""
        with self._report.open("a") as out:
            out.write(json.dumps(self._seconds) + "\n")


def group_of(test: str) -> str:
    """Give the group of a test's path."""
    fitting = (group for folder, group in GROUPS.items() if test.startswith(f"{folder}/"))
    return next(fitting, test.split("/")[1])


def summary(report: Path, elapsed: float) -> str:
    """Give a line for each group, of all runs together, the longest first; nothing if none has ended.

    Args:
        report: as the runs have left it.
        elapsed: seconds that all of it took.
    """
    seconds: defaultdict[str, float] = defaultdict(float)
    for line in report.read_text().splitlines():
        for group, took in json.loads(line).items():
            seconds[group] += took
    if not seconds:
        return ""
    longest = sorted(((took, group) for group, took in seconds.items()), reverse=True)
    lines = [f"  {_clock(took)}  {group}" for took, group in longest]
    return "\n".join(["How long the tests took:", *lines, f"  {_clock(elapsed)}  all, side by side"])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:3d}:{int(seconds) % 60:02d}"
