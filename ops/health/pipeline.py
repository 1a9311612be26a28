"""What Prometheus knows about the data's path: scrapes, queues, and what was refused or lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import httpx

from ops.health.model import Reading, Status
from ops.web import get_json, problem

QUEUE_LIMIT = 0.8
"""Share of a queue above which an outage of its store soon reaches the applications."""

STALE_SECONDS = 120.0
"""Age of the last scrape, several scrape intervals, above which it counts as missing."""

KNOWN = "10m"
"""How long before the window a counter is looked for: longer than a scrape or two may fail."""

OWN = 'collector_name=""'
"""Matches what the stack scrapes. What applications send carries the name of the collector that took it."""

QUEUE_FILL = (
    "max by (job, exporter) "
    f"(otelcol_exporter_queue_size{{{OWN}}} / otelcol_exporter_queue_capacity{{{OWN}}})"
)
GATEWAY = "otel-gateway"
"""Scrape job of those whose clients still have what they could not pass on."""

SIGNALS = ("spans", "metric_points", "log_records")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A counter of the collector that should stand still.

    Attributes:
        name: for people.
        metric: without the signal's name and the suffix.
        by: label that says where in the program.
        advice: what to do when it moves.
        at_gateway: the same where it is a gateway's, if that is something else.
    """

    name: str
    metric: str
    by: str
    advice: str
    at_gateway: str = ""


LOSSES = (
    Loss(
        name="refused at the door",
        metric="otelcol_receiver_refused",
        by="receiver",
        advice="the collector is short of memory or a queue is full; clients retry: see queues, sizing",
    ),
    Loss(
        name="refused by full queue",
        metric="otelcol_exporter_enqueue_failed",
        by="exporter",
        advice="the store has been down too long or is too slow: see its log",
    ),
    Loss(
        name="given up on",
        metric="otelcol_exporter_send_failed",
        by="exporter",
        advice="the store refuses the data for good: the log of the collector or processor says why",
        at_gateway="Kafka did not take it, and clients were told to retry: see programs, make topics",
    ),
)


class Prometheus:
    """The stack's own metrics."""

    program = "prometheus"

    def __init__(self, client: httpx.Client, url: str) -> None:
        """Ask Prometheus at its base address."""
        self._client = client
        self._url = url.rstrip("/")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate an expression now.

        Raises:
            httpx.HTTPError: no answer.
            ValueError: not an answer of Prometheus.
        """
        answer = get_json(self._client, f"{self._url}/api/v1/query", {"query": expression})
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def targets(self) -> list[dict[str, Any]]:
        """What is scraped, and how that went.

        Raises:
            httpx.HTTPError: no answer.
            ValueError: not an answer of Prometheus.
        """
        answer = get_json(self._client, f"{self._url}/api/v1/targets", {"state": "active"})
        targets: list[dict[str, Any]] = answer["data"]["activeTargets"]
        return targets


class Mimir(Prometheus):
    """The same, kept by Mimir, which scrapes nothing itself: the samples show how each scrape went."""

    program = "mimir"

    def targets(self) -> list[dict[str, Any]]:
        """See ``Prometheus.targets``; from the metric that every scrape leaves."""
        scraped = f"up{{{OWN}}}"
        times = {_key(one): float(one["value"][1]) for one in self.query(f"timestamp({scraped})")}
        return [_as_target(one, times[_key(one)]) for one in self.query(scraped) if _key(one) in times]


def _as_target(series: Mapping[str, Any], time: float) -> dict[str, Any]:
    """Write a series of ``up`` as Prometheus writes a target."""
    worked = float(series["value"][1]) > 0
    return {
        "labels": series["metric"],
        "health": "up" if worked else "down",
        "lastError": "" if worked else "the last scrape failed",
        "lastScrape": datetime.fromtimestamp(time, timezone.utc).isoformat(),
    }


def _key(series: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(series["metric"].get(name)) for name in ("job", "instance"))


def pipeline_readings(
    prometheus: Prometheus, window: str, log_of: Callable[[str], str], now: datetime | None = None
) -> list[Reading]:
    """Read scrapes, queues and losses; what cannot be read is unknown, with the reason.

    Args:
        prometheus: the stack's own.
        window: how far to look back for losses.
        log_of: the command that shows a program's log.
        now: the present moment.
    """
    when, log = now or datetime.now(timezone.utc), log_of(prometheus.program)
    return [
        *_guarded("scrapes", log, lambda: _scrapes(prometheus, when, log)),
        *_guarded("queues", log, lambda: _queues(prometheus)),
        *_guarded("losses", log, lambda: _losses(prometheus, window)),
    ]


def _guarded(area: str, log: str, read: Callable[[], Iterator[Reading]]) -> list[Reading]:
    try:
        return list(read())
    except (httpx.HTTPError, ValueError) as error:
        found = f"the metric store does not answer: {problem(error)}"
        return [Reading(area=area, name="all", status="unknown", found=found, advice=log)]


def _scrapes(prometheus: Prometheus, now: datetime, log: str) -> Iterator[Reading]:
    for target in sorted(prometheus.targets(), key=lambda one: str(one["labels"].get("job"))):
        name = f"{target['labels'].get('job')} {target['labels'].get('instance', '')}".strip()
        age = (now - _moment(target["lastScrape"])).total_seconds()
        if target["health"] == "unknown":
            yield Reading(area="scrapes", name=name, status="unknown", found="not scraped yet")
        elif target["health"] != "up" or age > STALE_SECONDS:
            found = target.get("lastError") or f"last scrape {age:.0f} s ago"
            advice = f"the program's log; {log}"
            yield Reading(area="scrapes", name=name, status="degraded", found=found, advice=advice)
        else:
            yield Reading(area="scrapes", name=name, found=f"{max(age, 0):.0f} s ago")


def _queues(prometheus: Prometheus) -> Iterator[Reading]:
    fills = prometheus.query(QUEUE_FILL)
    if not fills:
        yield Reading(area="queues", name="all", status="unknown", found="collector not scraped yet")
    for fill in fills:
        share = float(fill["value"][1])
        full = share >= QUEUE_LIMIT
        status: Status = "degraded" if full else "healthy"
        advice = "its store is down or too slow: see programs, and its log" if full else ""
        name = _place(fill["metric"], "exporter")
        yield Reading(area="queues", name=name, status=status, found=f"{share:.1%} full", advice=advice)


def _losses(prometheus: Prometheus, window: str) -> Iterator[Reading]:
    for loss in LOSSES:
        counts = _counts(prometheus, loss, window)
        if not counts:
            yield Reading(area="losses", name=loss.name, found=f"none in {window}")
        for (job, place), count in counts.items():
            found = f"{count:,.0f} at {place} in {window}"
            advice = loss.at_gateway or loss.advice if job == GATEWAY else loss.advice
            yield Reading(area="losses", name=loss.name, status="degraded", found=found, advice=advice)


def _counts(prometheus: Prometheus, loss: Loss, window: str) -> Mapping[tuple[str, str], float]:
    """Give what a counter has counted, by job and place; places without a loss are left out."""
    return {
        (str(series["metric"].get("job")), f"{_place(series['metric'], loss.by)} {signal}"): float(
            series["value"][1]
        )
        for signal in SIGNALS
        for series in prometheus.query(loss_query(loss, signal, window))
    }


def _place(labels: Mapping[str, str], by: str) -> str:
    return f"{labels.get(by, 'unknown')} of {labels.get('job', 'unknown')}"


def loss_query(loss: Loss, signal: str, window: str) -> str:
    """Ask how far a counter has moved, by place.

    A failure counter appears with its first failure; what it says then is no increase, but a loss. Whether it
    was there before is asked of a range: at one moment a failed scrape would hide it.
    """
    series = f'{{__name__=~"{loss.metric}_{signal}(_total)?", {OWN}}}'
    known = f"present_over_time({series}[{KNOWN}] offset {window})"
    new = f"(max_over_time({series}[{window}]) unless {known})"
    return f"sum by (job, {loss.by}) ({new} or increase({series}[{window}])) > 0"


def _moment(text: str) -> datetime:
    """Read a time as Go writes it: nanoseconds, and Z or an offset."""
    head, _, rest = text.partition(".")
    offset = rest.lstrip("0123456789") if rest else ""
    return datetime.fromisoformat((head + offset if rest else text).replace("Z", "+00:00"))
