"""Runs the lab's collector with the processors of one that the program configures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.lab.errors import LabError
from tests.support.collectors import RunningCollector, running_collector
from tests.support.lab import missing


class RunCollector(Protocol):
    """Runs a collector, with the options of ``running_collector``, in a folder of the given name."""

    def __call__(
        self,
        processors: Mapping[str, Any],
        *,
        name: str = "",
        signal: str = "traces",
        **options: Mapping[str, Any],
    ) -> RunningCollector: ...


@pytest.fixture
def run_collector(tmp_path: Path) -> Iterator[RunCollector]:
    """Give what runs a collector with given processors until the test is over."""
    with ExitStack() as until_then:

        def run(
            processors: Mapping[str, Any],
            *,
            name: str = "",
            signal: str = "traces",
            **options: Mapping[str, Any],
        ) -> RunningCollector:
            folder = tmp_path / name
            try:
                return until_then.enter_context(
                    running_collector(processors, folder, signal=signal, **options)
                )
            except LabError as error:
                missing(str(error))

        yield run
