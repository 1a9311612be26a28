"""What tail sampling makes of a trace whose spans come further apart than it waits."""

from __future__ import annotations

import secrets

import pytest

from tests.collectors.conftest import RunCollector
from tests.support.collectors import RunningCollector, one_span, rendered_collector
from tests.support.program import run_program
from tests.support.waiting import until

DECIDED = "otelcol_processor_tail_sampling_global_count_traces_sampled"
SECONDS = 30.0


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
