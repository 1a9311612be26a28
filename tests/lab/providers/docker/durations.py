"""Go's notation for durations, in which the schema gives times and the official plugin reads them back."""

from __future__ import annotations

import re
from decimal import Decimal

_NANOSECONDS = {
    "ns": Decimal(1),
    "us": Decimal(10**3),
    "µs": Decimal(10**3),
    "ms": Decimal(10**6),
    "s": Decimal(10**9),
    "m": Decimal(60 * 10**9),
    "h": Decimal(3600 * 10**9),
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


def parse(text: str) -> int:
    """Nanoseconds of a duration like ``1m30s``.

    Raises:
        ValueError: the text is not a duration.
    """
    parts = _PART.findall(text)
    if text != "0" and (not parts or "".join(number + unit for number, unit in parts) != text):
        raise ValueError(f"{text!r} is not a duration like 10s, 500ms or 1m30s")
    return int(sum((Decimal(number) * _NANOSECONDS[unit] for number, unit in parts), Decimal(0)))


def render(nanoseconds: int) -> str:
    """The one form in which Go prints a duration: 60 seconds are ``1m0s``."""
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < _NANOSECONDS["s"]:
        unit = next(unit for unit in ("ms", "us", "ns") if nanoseconds >= _NANOSECONDS[unit])
        return f"{_number(nanoseconds / _NANOSECONDS[unit])}{'µs' if unit == 'us' else unit}"
    minutes, rest = divmod(nanoseconds, int(_NANOSECONDS["m"]))
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_number(rest / _NANOSECONDS['s'])}s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
