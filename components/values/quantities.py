"""Durations and sizes as people write them in stack configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Q = TypeVar("Q", bound="_Quantity")


@dataclass(frozen=True, order=True)
class _Quantity:
    """A whole number of base units, written as a number and a unit."""

    UNITS: ClassVar[dict[str, int]]
    EXAMPLES: ClassVar[str]

    value: int

    @classmethod
    def parse(cls: type[Q], text: object) -> Q:
        """Read a quantity.

        Raises:
            ValueError: it is not text, or not a positive number with a known unit.
        """
        match = re.fullmatch(r"([0-9]{1,18})([A-Za-z]+)", text) if isinstance(text, str) else None
        if match is None or match[2] not in cls.UNITS or int(match[1]) == 0:
            units = ", ".join(cls.UNITS)
            raise ValueError(f"write a whole number above 0 and a unit ({units}), for example {cls.EXAMPLES}")
        return cls(int(match[1]) * cls.UNITS[match[2]])

    def __str__(self) -> str:
        """Write the quantity in the largest unit that holds it exactly."""
        unit, factor = max(
            ((unit, factor) for unit, factor in self.UNITS.items() if self.value % factor == 0),
            key=lambda pair: pair[1],
        )
        return f"{self.value // factor}{unit}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate from text (or take the quantity itself), serialize to text."""

        def validate(given: Any) -> Any:
            return given if isinstance(given, cls) else cls.parse(given)

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the text form for editors."""
        pattern = rf"^0*[1-9][0-9]*({'|'.join(cls.UNITS)})$"
        return {"type": "string", "pattern": pattern, "examples": cls.EXAMPLES.split(" or ")}


@dataclass(frozen=True, order=True)
class Duration(_Quantity):
    """A length of time; ``value`` is in seconds."""

    UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}  # noqa: RUF012 - declared ClassVar in the base
    EXAMPLES = "15m or 30d"

    @property
    def seconds(self) -> int:
        """The length in seconds."""
        return self.value

    @property
    def days(self) -> int:
        """The length in whole days, rounded down."""
        return self.value // self.UNITS["d"]

    def in_unit(self, unit: str) -> str:
        """Write the duration in one given unit, rounded up, for programs that know few units."""
        return f"{-(-self.value // self.UNITS[unit])}{unit}"


@dataclass(frozen=True, order=True)
class Size(_Quantity):
    """An amount of memory or disk; ``value`` is in bytes."""

    UNITS = {  # noqa: RUF012 - declared ClassVar in the base
        "B": 1,
        "kB": 10**3,
        "KB": 10**3,
        "MB": 10**6,
        "GB": 10**9,
        "TB": 10**12,
        "KiB": 2**10,
        "MiB": 2**20,
        "GiB": 2**30,
        "TiB": 2**40,
    }
    EXAMPLES = "512MiB or 40GB"

    @property
    def bytes(self) -> int:
        """The amount in bytes."""
        return self.value

    @property
    def mebibytes(self) -> int:
        """The amount in whole MiB, rounded down."""
        return self.value // 2**20

    @property
    def gibibytes_needed(self) -> int:
        """The whole GiB that hold this amount."""
        return -(-self.value // 2**30)

    def share(self, fraction: float) -> Size:
        """Return a fraction of this amount, rounded down to whole MiB."""
        return Size(int(self.value * fraction) // 2**20 * 2**20)


def days(count: int) -> Duration:
    """Return a duration of ``count`` days."""
    return Duration(count * Duration.UNITS["d"])


DAY = days(1)


def mebibytes(count: int) -> Size:
    """Return a size of ``count`` MiB."""
    return Size(count * 2**20)


def gibibytes(count: int) -> Size:
    """Return a size of ``count`` GiB."""
    return Size(count * 2**30)
