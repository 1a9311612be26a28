"""``random.RandomPassword`` and ``random.RandomString``."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.providers import wire
from tests.lab.providers.random.drawn import Drawn
from tests.lab.providers.schema import Failure, ResourceSchema

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
"""The special characters used when ``overrideSpecial`` does not name others."""

DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(("lower", "upper", "numeric", "number", "special"), True),
    **dict.fromkeys(("minLower", "minUpper", "minNumeric", "minSpecial"), 0),
    "overrideSpecial": "",
}


@dataclass(frozen=True, kw_only=True)
class _Class:
    """One class of characters: its members, whether they may be used, and how many there must be."""

    characters: str
    allowed: bool
    at_least: int


class RandomText(Drawn):
    """A text of ``length`` characters with at least ``min...`` of each class."""

    def __init__(self, token: str, schema: ResourceSchema, *, secret: bool) -> None:
        hidden = frozenset({"result"}) if secret else frozenset()
        super().__init__(token, schema, defaults=DEFAULTS, secret=hidden)
        self._secret = secret

    def failures(self, inputs: Mapping[str, Any]) -> Iterator[Failure]:
        found = list(super().failures(inputs))
        yield from found or _failures(inputs)

    def draw(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        text = draw(inputs)
        return "none" if self._secret else text, {"result": text}


def draw(inputs: Mapping[str, Any]) -> str:
    """A new random text that conforms to the inputs."""
    classes = _classes(inputs)
    everything = "".join(kind.characters for kind in classes if kind.allowed)
    drawn = [secrets.choice(kind.characters) for kind in classes for _ in range(kind.at_least)]
    drawn += (secrets.choice(everything) for _ in range(inputs["length"] - len(drawn)))
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


def _failures(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    if wire.has_unknown(dict(inputs)):
        return
    classes, length = _classes(inputs), inputs["length"]
    wanted = sum(kind.at_least for kind in classes)
    if length < max(1, wanted):
        yield Failure(
            path="length", reason=f"must be at least {max(1, wanted)}, the sum of min..., not {length}"
        )
    if not any(kind.allowed and kind.characters for kind in classes):
        yield Failure(path="length", reason="has no characters to draw from: every class is switched off")


def _classes(inputs: Mapping[str, Any]) -> list[_Class]:
    numeric = inputs.get("numeric", inputs.get("number", True))
    return [
        _Class(
            characters=string.ascii_lowercase,
            allowed=inputs.get("lower", True),
            at_least=inputs.get("minLower", 0),
        ),
        _Class(
            characters=string.ascii_uppercase,
            allowed=inputs.get("upper", True),
            at_least=inputs.get("minUpper", 0),
        ),
        _Class(characters=string.digits, allowed=numeric, at_least=inputs.get("minNumeric", 0)),
        _Class(
            characters=inputs.get("overrideSpecial") or SPECIAL,
            allowed=inputs.get("special", True),
            at_least=inputs.get("minSpecial", 0),
        ),
    ]
