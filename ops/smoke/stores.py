"""Asks the stores themselves for what was sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from ops.smoke.signals import BACKEND, FRONTEND, ID_ATTRIBUTE, METRIC, TRANSPORT_ATTRIBUTE, Sent
from ops.smoke.traces import ReadTrace, jaeger_trace
from ops.web import get_json, problem

LOOK_BACK_SECONDS = 60.0
"""How far before the sending a query begins, for clocks that differ."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a store said about one thing that was sent.

    Attributes:
        arrived: it is there, complete.
        detail: what was found, or what is missing.
    """

    arrived: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The query interfaces of a stack.

    Attributes:
        client: for all requests.
        traces: base address of Jaeger or Tempo.
        metrics: base address of the query API of Prometheus or Mimir.
        logs: base address of Loki.
        read_trace: how the trace store is asked.
    """

    client: httpx.Client
    traces: str
    metrics: str
    logs: str
    read_trace: ReadTrace = jaeger_trace

    def trace(self, sent: Sent) -> Answer:
        """Are both services' spans there, the backend's under the frontend's?"""
        return self._trace(sent.trace_id, sent.parent_span_id)

    def log(self, sent: Sent) -> Answer:
        """Is the log record there, and does its trace id lead to the trace?"""
        marks = " | ".join(f'{name}="{value}"' for name, value in _marks(sent).items())
        query = f'{{service_name="{BACKEND}"}} | {marks}'
        answer = get_json(
            self.client,
            f"{self.logs}/loki/api/v1/query_range",
            {"query": query, "start": _nanoseconds(sent), "limit": "10"},
        )
        streams = answer["data"]["result"]
        if not streams:
            return Answer(arrived=False, detail="no record yet")
        trace_id = streams[0]["stream"].get("trace_id", "")
        if trace_id != sent.trace_id:
            return Answer(arrived=False, detail=f"the record's trace id is {trace_id or 'missing'}")
        followed = self._trace(trace_id, sent.parent_span_id)
        return Answer(arrived=followed.arrived, detail=f"log -> trace id -> {followed.detail}")

    def metric(self, sent: Sent) -> Answer:
        """Is the histogram there?"""
        answer = get_json(
            self.client, f"{self.metrics}/api/v1/query", {"query": _selector(sent, suffix="count")}
        )
        series = answer["data"]["result"]
        if not series:
            return Answer(arrived=False, detail="no series yet")
        count = series[0]["value"][1]
        return Answer(arrived=True, detail=f"{series[0]['metric']['__name__']} = {count}")

    def exemplar(self, sent: Sent) -> Answer:
        """Does the metric carry an exemplar with the trace's id?"""
        period = {
            "start": f"{sent.started - LOOK_BACK_SECONDS:.3f}",
            "end": f"{sent.started + 3600:.3f}",
        }
        answer = get_json(
            self.client,
            f"{self.metrics}/api/v1/query_exemplars",
            {"query": _selector(sent, suffix="bucket"), **period},
        )
        exemplars = [exemplar for series in answer["data"] for exemplar in series["exemplars"]]
        if sent.trace_id not in {exemplar["labels"].get("trace_id") for exemplar in exemplars}:
            return Answer(arrived=False, detail="no exemplar of the trace yet")
        return Answer(arrived=True, detail=f"exemplar -> trace {sent.trace_id}")

    def _trace(self, trace_id: str, parent_span_id: str) -> Answer:
        found = self.read_trace(self.client, self.traces, trace_id)
        missing = {FRONTEND, BACKEND} - found.parents.keys()
        if missing:
            return Answer(arrived=False, detail=f"trace {trace_id} without {', '.join(sorted(missing))}")
        if parent_span_id not in found.parents[BACKEND]:
            return Answer(arrived=False, detail=f"trace {trace_id} is not connected")
        return Answer(arrived=True, detail=f"trace {trace_id}, {found.spans} spans of 2 services")


def ask(question: Callable[[Sent], Answer], sent: Sent) -> Answer:
    """Ask a store; an answer that is missing, or not of the expected form, is a "no" that says why."""
    try:
        return question(sent)
    except (httpx.HTTPError, ValueError) as error:
        return Answer(arrived=False, detail=problem(error))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        return Answer(arrived=False, detail=f"unexpected answer ({type(error).__name__}: {error})")


def _marks(sent: Sent) -> dict[str, str]:
    return {ID_ATTRIBUTE: sent.smoke_id, TRANSPORT_ATTRIBUTE: sent.transport}


def _selector(sent: Sent, *, suffix: str) -> str:
    """Select the metric under any of the names that stores give to it (with or without its unit)."""
    labels = ", ".join(f'{name}="{value}"' for name, value in _marks(sent).items())
    return f'{{__name__=~"{METRIC}(_seconds)?_{suffix}", {labels}}}'


def _nanoseconds(sent: Sent) -> str:
    return str(int((sent.started - LOOK_BACK_SECONDS) * 1e9))
