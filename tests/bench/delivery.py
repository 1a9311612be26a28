"""A processor that reads what Kafka has into the stores, and how fast it does so."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.bench import programs
from tests.bench.loading import Load, put
from tests.bench.payloads import SPANS
from tests.bench.programs import Site, counted
from tests.bench.results import Delivered, Together
from tests.support.waiting import until

DECISION_SECONDS = 10.0
"""What tail sampling waits before it decides, in both configurations."""
PAUSE_SECONDS = 0.25
SENT = {
    "logs": "otelcol_exporter_sent_log_records",
    "metrics": "otelcol_exporter_sent_metric_points",
    "traces": "otelcol_exporter_sent_spans",
}
ACCEPTED = {
    "logs": "otelcol_receiver_accepted_log_records",
    "metrics": "otelcol_receiver_accepted_metric_points",
    "traces": "otelcol_receiver_accepted_spans",
}


@dataclass(frozen=True, kw_only=True)
class _Moment:
    """Counts at one moment, and when that was."""

    at: float
    read: float
    stored: float
    settled: float


class Delivery:
    """A new processor that reads what Kafka has."""

    def __init__(self, site: Site, signal: str) -> None:
        """Start the stores and the processor."""
        self._site, self._signal = site, signal
        programs.start_stores(site, signal)
        self._empty, self._begin = _stored(site, signal), time.monotonic()
        self._processor = programs.start_processor(site)

    def wait(self, records: float, limit: float) -> Delivered:
        """Let it read this many records, for ``limit`` seconds at most."""
        site, signal, begin = self._site, self._signal, self._begin
        seen = [_Moment(at=begin, read=0, stored=self._empty, settled=0)]
        goal = records / SPANS if signal == "traces" else records

        def is_over() -> bool:
            seen.append(_look(site, signal))
            done = seen[-1].settled if signal == "traces" else seen[-1].stored - self._empty
            return done >= goal or seen[-1].at - begin > limit

        until(f"{signal} to be delivered", is_over, seconds=limit + 60, pause=PAUSE_SECONDS)
        last = seen[-1]
        traces, decided = _sampler(site, "new_trace_id_received"), _decided(site)
        return Delivered(
            read=_rate([(one.at, one.read) for one in seen]),
            stored=_rate([(one.at, one.stored) for one in seen]),
            decided=decided / (last.at - begin - DECISION_SECONDS) if decided else 0.0,
            undecided=_sampler(site, "sampling_trace_dropped_too_early") / traces if traces else 0.0,
            cpu=self._processor.use().cpu / last.read * 1e6,
            whole=last.at - begin <= limit,
        )

    def under(self, load: Load) -> Together:
        """Let applications send at the same time."""
        site, signal = self._site, self._signal
        begin, stored, decided = time.monotonic(), _stored(site, signal), _decided(site)
        sent = put(site, signal, load)
        seconds = time.monotonic() - begin
        return Together(
            acknowledged=sent.acknowledged,
            p99=sent.p99,
            stored=(_stored(site, signal) - stored) / seconds,
            decided=(_decided(site) - decided) / seconds,
        )


def written(site: Site, signal: str) -> float:
    """Wait until the gateway has written everything that it holds, and count it."""
    seen: list[float] = []

    def is_still() -> bool:
        seen.append(counted(site.ports.gateway_metrics, *_both(SENT[signal])))
        return len(seen) > 6 and seen[-1] == seen[-7]

    until("the gateway to have written what it holds", is_still, seconds=60, pause=PAUSE_SECONDS)
    return seen[-1]


def _look(site: Site, signal: str) -> _Moment:
    """Count; a trace is settled once it was decided on, or discarded undecided."""
    return _Moment(
        at=time.monotonic(),
        # What sampling kept is read a second time, on its way to the store.
        read=counted(site.ports.processor_metrics, *_both(ACCEPTED[signal]), without="kafka/sampled"),
        stored=_stored(site, signal),
        settled=sum(
            _sampler(site, name)
            for name in ("global_count_traces_sampled", "sampling_trace_dropped_too_early")
        ),
    )


def _rate(counts: list[tuple[float, float]]) -> float:
    """Count per second from the last moment before anything was there to the first when all was there."""
    lowest, highest = counts[0][1], counts[-1][1]
    begin = max(at for at, count in counts if count == lowest)
    end = min(at for at, count in counts if count == highest)
    return (highest - lowest) / (end - begin) if end > begin else 0.0


def _stored(site: Site, signal: str) -> float:
    ports = site.ports
    if signal == "logs":
        return counted(ports.loki, "loki_distributor_lines_received_total")
    if signal == "metrics":
        head = "prometheus_tsdb_head"
        names = (f"{head}_samples_appended_total", f"{head}_out_of_order_samples_appended_total")
        return counted(ports.prometheus, *names)
    return counted(ports.jaeger_metrics, *_both("otelcol_receiver_accepted_spans"))


def _decided(site: Site) -> float:
    return _sampler(site, "global_count_traces_sampled")


def _sampler(site: Site, name: str) -> float:
    return counted(site.ports.processor_metrics, *_both(f"otelcol_processor_tail_sampling_{name}"))


def _both(name: str) -> tuple[str, str]:
    """Versions of the collector differ in whether a counter's name says that it is a counter."""
    return name, f"{name}_total"
