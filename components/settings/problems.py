"""What is wrong with the settings, and the rules that find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from components.settings.model import SettingsModel
from components.values.quantities import Size


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with the settings.

    Attributes:
        key: configuration key, dotted.
        value: what was given.
        message: what is allowed and what to do.
    """

    key: str
    value: object
    message: str


def too_little_memory(section: str, memory: Size | None, least: Size) -> Iterator[Problem]:
    """Refuse a limit below what a program needs; ``section`` is the dotted key of its section."""
    if memory is not None and memory < least:
        program = section.rpartition(".")[2]
        yield Problem(key=f"{section}.memory", value=str(memory), message=f"{program} needs at least {least}")


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule over several settings.

    Attributes:
        reads: top-level sections it looks at; it does not run when one of them is malformed.
        run: yields what is wrong.
    """

    reads: tuple[str, ...]
    run: Callable[[SettingsModel], Iterator[Problem]]
