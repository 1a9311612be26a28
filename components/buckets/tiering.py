"""When objects move to storage for infrequent access."""

from __future__ import annotations

from components.values.quantities import Duration, days

TIERED_MARGIN = days(30)
"""How much longer than the tiering age a signal must be kept for it to be tiered."""


def is_tiered(after: Duration, kept: Duration) -> bool:
    """Tell whether what is deleted at age ``kept`` moves to cheaper storage at age ``after``."""
    return kept.seconds >= after.seconds + TIERED_MARGIN.seconds
