"""Waiting until an object is ready or gone, with a deadline, and saying why it is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes import naming

_POLL = 1.0
"""Seconds between two checks of the object."""

DEFAULT_TIMEOUT = 600.0
"""Seconds; the official plugin's for workloads."""


class NotReadyError(ProviderError):
    """The object exists but is not ready; the message says what it still lacks."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What an object still lacks. ``failed`` when waiting longer would not help."""

    reason: str
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Wait:
    """How to wait: seconds, an event that ends it early, and whom to inform about the progress."""

    timeout: float
    cancelled: threading.Event
    tell: Callable[[str], None]


def timeout_of(inputs: Mapping[str, Any], custom: float) -> float:
    """Seconds to wait: ``CustomTimeouts``, else the annotation, else 10 minutes."""
    annotated = naming.annotation(inputs, naming.TIMEOUT)
    return custom or (float(annotated) if annotated.isdigit() else DEFAULT_TIMEOUT)


def until(look: Callable[[], Pending | None], wait: Wait) -> None:
    """Check again and again until nothing is pending.

    Raises:
        NotReadyError: it failed, time ran out, or the wait was cancelled.
    """
    deadline = time.monotonic() + wait.timeout
    told = ""
    while (pending := look()) is not None:
        if pending.failed:
            raise NotReadyError(pending.reason)
        if time.monotonic() >= deadline:
            raise NotReadyError(f"{pending.reason} (waited {wait.timeout:.0f} s)")
        if pending.reason != told:
            told = pending.reason
            wait.tell(told)
        if wait.cancelled.wait(_POLL):
            raise NotReadyError(f"{pending.reason} (the update was cancelled)")
    if told:
        wait.tell("")
