"""Finds what the lab has built: ``cache.binary("promtool")``, ``cache.kafka_home()``."""

from __future__ import annotations

from pathlib import Path

from tests.lab import programs
from tests.lab.errors import LabError


def binary(name: str) -> Path:
    """The path of a built program.

    Raises:
        LabError: when the lab does not know the program or has not built it yet.
    """
    path = programs.binary_path(name)
    if not path.is_file():
        raise LabError(f"{name} is not in the lab's cache ({path}). Run: python -m tests.lab prepare")
    return path


def kafka_home() -> Path:
    """Kafka's folder; ``libs/`` in it holds the jars.

    Raises:
        LabError: when it has not been fetched yet.
    """
    path = programs.kafka_path()
    if not (path / "libs").is_dir():
        raise LabError(f"Kafka is not in the lab's cache ({path}). Run: python -m tests.lab prepare")
    return path
