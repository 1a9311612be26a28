"""Load of numbered logs, metrics and traces, with the fate of every record.

A record is *acknowledged* when its call was answered OK without partial success.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.otlp import SERVICES, Tls

SPANS = 4
METRIC = "drill_sequence"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Records per second of each signal; a trace counts as one."""

    logs: int = 200
    metrics: int = 200
    traces: int = 25


@dataclass(kw_only=True)
class Tally:
    """What became of the records of one signal.

    Attributes:
        acknowledged: numbers of the records that were answered OK, with the time of the answer.
        apart: how many seconds earlier the first part of each was acknowledged, for those sent in parts.
        refused: number -> error, for those answered with an error that is not to be retried.
        retried: calls that failed with a retryable error, by its code.
    """

    acknowledged: dict[int, float] = field(default_factory=dict)
    apart: dict[int, float] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    retried: Counter[str] = field(default_factory=Counter)


@dataclass(kw_only=True)
class Load:
    """Load on one OTLP address.

    Attributes:
        run: distinguishes its records from those of other runs.
        target: ``host:port`` of OTLP over gRPC, or ``http://host:port``.
        second_target: where the second half of every trace goes, if that is another address.
        tls: how the server proves who it is, if it encrypts.
        started: when, in seconds since the epoch.
        tallies: what became of the records, by signal.
    """

    run: str
    target: str
    second_target: str = ""
    tls: Tls | None = None
    rates: Rates = field(default_factory=Rates)
    started: float = field(default_factory=time.time)
    tallies: dict[str, Tally] = field(default_factory=lambda: {signal: Tally() for signal in SERVICES})

    @property
    def service(self) -> str:
        """Value of ``service.name`` of all its records."""
        return f"drill-{self.run}"

    def acknowledged(self, signal: str) -> int:
        """Count the records of a signal that have been answered OK so far."""
        return len(self.tallies[signal].acknowledged)

    def acknowledged_at(self, signal: str, numbers: Sequence[int]) -> dict[int, float]:
        """When some of them were answered OK, in seconds after the load began."""
        when = self.tallies[signal].acknowledged
        return {number: round(when[number] - self.started, 1) for number in numbers}


def kind_of(number: int) -> str:
    """Tell what kind a numbered trace is: one in ten has an error, one in ten is slow."""
    return {0: "error", 5: "slow"}.get(number % 10, "plain")


def trace_id(run: str, number: int) -> bytes:
    """Give the id of a numbered trace."""
    return hashlib.sha256(f"{run}/{number}".encode()).digest()[:16]
