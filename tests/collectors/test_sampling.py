"""What tail sampling makes of a very large trace, and of one whose spans come further apart than it waits."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.collectors.conftest import RunCollector
from tests.support.collectors import RunningCollector, one_span, rendered_collector
from tests.support.program import run_program
from tests.support.waiting import until

DECIDED = "otelcol_processor_tail_sampling_global_count_traces_sampled"
SECONDS = 30.0

MEBIBYTE = 2**20
REQUESTS, SPANS = 3, 12
"""Requests of a trace of 36 MiB, and how many spans of 1 MiB each of them has."""


def wait_for_decisions(collector: RunningCollector, count: int) -> None:
    until(f"{count} decisions", lambda: collector.counted(DECIDED) >= count, seconds=SECONDS)


@pytest.mark.timeout(120)
def test_an_error_that_comes_after_the_decision_is_kept(run_collector: RunCollector) -> None:
    """A request that lasts longer than the wait, and fails, has its own span last."""
    settings = {"phase": 2, "sampling": {"decisionWait": "1s"}}
    sampler = rendered_collector(run_program(settings), "otel-processor")["processors"]["tail_sampling"]
    share = next(policy for policy in sampler["policies"] if policy["type"] == "probabilistic")
    share["probabilistic"]["sampling_percentage"] = 0
    collector = run_collector({"tail_sampling": sampler})
    late, other = secrets.token_hex(16), secrets.token_hex(16)
    for decided, trace_id in enumerate((late, other), start=1):
        collector.send(one_span(trace_id, "first"))
        wait_for_decisions(collector, decided)
    assert collector.spans() == []
    collector.send(one_span(late, "request", failed=True))
    until("the error comes through", collector.spans, seconds=SECONDS)
    assert [(span["traceId"], span["name"]) for span in collector.spans()] == [(late, "request")]


def large_spans(trace_id: str) -> dict[str, Any]:
    """Make a request of failed spans of one trace."""
    spans = []
    for number in range(SPANS):
        request = one_span(trace_id, f"span-{number}", failed=True)
        (span,) = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
        text = {"key": "statement", "value": {"stringValue": "x" * MEBIBYTE}}
        spans.append({**span, "attributes": [text]})
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


@pytest.mark.timeout(180)
def test_a_kept_trace_of_any_size_comes_through_whole(run_collector: RunCollector) -> None:
    """It is more than a queue holds that counts bytes; another collector is in Kafka's place here."""
    processor = rendered_collector(run_program({"phase": 2}), "otel-processor")
    sampler = processor["processors"]["tail_sampling"]
    queue = processor["exporters"]["kafka/sampled"]["sending_queue"]
    kafka = run_collector({}, name="kafka", grpc={"max_recv_msg_size_mib": 8})
    to_it = {"otlp_grpc": {"endpoint": kafka.target, "tls": {"insecure": True}, "sending_queue": queue}}
    collector = run_collector({"tail_sampling": sampler}, name="processor", exporters=to_it)
    trace_id = secrets.token_hex(16)
    for _ in range(REQUESTS):
        collector.send(large_spans(trace_id))
    wait_for_decisions(collector, 1)
    until("its spans are there", lambda: len(kafka.spans()) == REQUESTS * SPANS, seconds=SECONDS)
    assert {span["traceId"] for span in kafka.spans()} == {trace_id}
