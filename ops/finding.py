"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found.

    Attributes:
        name: what was checked.
        status: ok; warn: it works, but know this; fail: it cannot work.
        found: the value.
        advice: what to do unless ok.
    """

    name: str
    status: Literal["ok", "warn", "fail"] = "ok"
    found: str
    advice: str = ""
