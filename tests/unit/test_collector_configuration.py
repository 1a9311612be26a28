"""What collectors are configured with, by what the settings say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.values.documents import Document
from tests.support.collectors import rendered_collector as collector
from tests.support.program import CONTAINER, run_program

REQUEST = "8MiB"
BYTES = 8 * 2**20


def expression(alert: str) -> str:
    """Give what an alert asks."""
    groups = Document.read("prometheus/rules/alerts.yaml").get("groups")
    return next(str(rule["expr"]) for group in groups for rule in group["rules"] if rule["alert"] == alert)


def test_gateways_answer_when_kafka_has_the_data_on_all_in_sync_replicas() -> None:
    found = collector(run_program({"phase": 2}), "otel-gateway")
    assert "batch" not in found["processors"]
    exporters = {name: one for name, one in found["exporters"].items() if name.startswith("kafka/")}
    assert {"kafka/traces", "kafka/metrics", "kafka/logs"} <= exporters.keys()
    for one in exporters.values():
        assert one["producer"]["required_acks"] == -1
        assert one["sending_queue"]["wait_for_result"] is True
    assert exporters["kafka/traces"]["partition_traces_by_id"] is True


def test_processors_mark_what_the_store_has_and_wait_for_it_without_end() -> None:
    result = run_program({"phase": 2})
    found = collector(result, "otel-processor")
    receivers = [one for name, one in found["receivers"].items() if name.startswith("kafka/")]
    assert len(receivers) == 4
    for receiver in receivers:
        assert receiver["message_marking"]["after"] is True
        assert receiver["message_marking"]["on_error"] is False
        assert receiver["error_backoff"]["max_elapsed_time"] == 0
        assert receiver["initial_offset"] == "earliest"
        assert receiver["group_instance_id"]
    for name in ("otlp_grpc/jaeger", "otlp_http/prometheus", "otlp_http/loki"):
        assert found["exporters"][name]["retry_on_failure"]["max_elapsed_time"] == 0


@pytest.mark.parametrize(
    ("name", "exporter"), [("otel-gateway", "kafka/logs"), ("otel-processor", "kafka/sampled")]
)
@pytest.mark.parametrize("largest", [None, REQUEST, "1MiB"])
def test_one_record_may_be_as_large_as_a_request(name: str, exporter: str, largest: str | None) -> None:
    """A record over the batch's limit is dropped, one over that of a queue of bytes never taken."""
    ingest = {} if largest is None else {"ingest": {"maxMessageSize": largest}}
    settings = collector(run_program({"phase": 2, **ingest}), name)["exporters"][exporter]
    queue = settings["sending_queue"]
    sizes = {None: 4 * 2**20, REQUEST: BYTES, "1MiB": 2**20}
    assert queue["batch"]["max_size"] > sizes[largest]
    if queue["sizer"] == "bytes":
        assert queue["queue_size"] >= 4 * queue["batch"]["max_size"]
    assert settings["producer"]["max_message_bytes"] > queue["batch"]["max_size"]


@pytest.mark.parametrize("largest", [None, REQUEST])
def test_a_kept_trace_has_no_largest_size(largest: str | None) -> None:
    """Nobody would send again what is over the size of the queue behind the sampler."""
    ingest = {} if largest is None else {"ingest": {"maxMessageSize": largest}}
    processor = collector(run_program({"phase": 2, **ingest}), "otel-processor")
    queue = processor["exporters"]["kafka/sampled"]["sending_queue"]
    assert (queue["sizer"], queue["queue_size"], queue["block_on_overflow"]) == ("requests", 10_000, True)


@pytest.mark.parametrize(("phase", "name"), [(1, "otel-collector"), (2, "otel-gateway")])
@pytest.mark.parametrize(("largest", "whole"), [(None, 4), ("1MiB", 1), ("3072KiB", 3), (REQUEST, 8)])
def test_a_request_may_be_as_large_over_grpc_as_over_http_and_as_the_outputs_say(
    phase: int, name: str, largest: str | None, whole: int
) -> None:
    ingest = {} if largest is None else {"ingest": {"maxMessageSize": largest}}
    result = run_program({"phase": phase, **ingest})
    protocols = collector(result, name)["receivers"]["otlp"]["protocols"]
    assert protocols["grpc"]["max_recv_msg_size_mib"] == whole
    assert protocols["http"]["max_request_body_size"] == whole * 2**20
    assert result.outputs["limit_message_bytes"] == whole * 2**20


@pytest.mark.parametrize("largest", [None, "1MiB"])
def test_the_letters_of_one_moment_fit_into_a_record(largest: str | None) -> None:
    """They are one record, which would be dropped over the producer's limit, and they are all that tells."""
    ingest = {} if largest is None else {"ingest": {"maxMessageSize": largest}}
    result = run_program({"phase": 2, **ingest})
    found = collector(result, "otel-processor")
    letters = found["exporters"]["kafka/dead_letters"]
    environment = result.container("kafka-topics").inputs["envs"]
    topic = next(line for text in environment for line in text.splitlines() if "otlp-dead-letters" in line)
    assert f"max.message.bytes={letters['producer']['max_message_bytes']}," in topic
    assert letters["producer"]["compression"] == "lz4"
    (logged,) = found["service"]["telemetry"]["logs"]["processors"]
    assert logged["batch"]["max_export_batch_size"] == 64


@pytest.mark.parametrize("largest", [None, REQUEST])
def test_one_record_of_phase_one_may_be_as_large_as_a_request(largest: str | None) -> None:
    """Its client has the OK already."""
    ingest = {} if largest is None else {"ingest": {"maxMessageSize": largest}}
    exporters = collector(run_program(ingest), "otel-collector")["exporters"]
    for settings in exporters.values():
        assert settings["sending_queue"]["batch"]["max_size"] > (4 * 2**20 if largest is None else BYTES)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("otel-collector", {"phase": 1}),
        *(("otel-processor", {"phase": 2, "sampling": {"mode": mode}}) for mode in ("tail", "head", "none")),
    ],
)
def test_spans_are_cut_to_what_jaeger_takes(name: str, settings: dict[str, Any]) -> None:
    """Jaeger answers "try again" to longer ones, for ever, and nothing behind them would be stored."""
    found = collector(run_program(settings), name)
    to_jaeger = [
        pipeline
        for pipeline in found["service"]["pipelines"].values()
        if "otlp_grpc/jaeger" in pipeline["exporters"]
    ]
    assert {pipeline["processors"][-1] for pipeline in to_jaeger} == {"transform/jaeger"}
    both = [f"otel-{one}.yaml" for one in ("collector/collector", "processor/processor")]
    assert len({str(Document.read(file).get("processors", "transform/jaeger")) for file in both}) == 1
    contexts = {group["context"] for group in found["processors"]["transform/jaeger"]["trace_statements"]}
    assert contexts == {"resource", "span", "spanevent"}


@pytest.mark.parametrize(
    ("name", "processor", "window", "age"),
    [
        ("otel-collector", "filter/storable", "48h", '"172800s"'),
        ("otel-processor", "filter/usual", "48h", '"169200s"'),
        ("otel-processor", "filter/unusual", "48h", '"169200s"'),
    ],
)
def test_samples_that_prometheus_may_refuse_take_no_others_along(
    name: str, processor: str, window: str, age: str
) -> None:
    """A processor gives them a request of their own well before; the collector leaves out what is refused."""
    settings = {"phase": 1 if name == "otel-collector" else 2, "retention": {"metricsOutOfOrder": window}}
    found = collector(run_program(settings), name)
    assert age in found["processors"][processor]["metrics"]["datapoint"][0]
    pipelines = [
        one for one in found["service"]["pipelines"].values() if processor in one.get("processors", [])
    ]
    assert [one["exporters"] for one in pipelines] == [["otlp_http/prometheus"]]


def test_what_only_a_processor_has_is_an_alert_when_it_is_given_up() -> None:
    """What it exports without a queue, or waits for, Kafka still has until the store has it."""
    exporters = Document.read("otel-processor/processor.yaml").get("exporters")
    queues = {name: settings["sending_queue"] for name, settings in exporters.items()}
    queued = {name for name, queue in queues.items() if queue["enabled"] and not queue.get("wait_for_result")}
    alert = expression("CollectorExporterSendFailed")
    matcher = re.search(r'"otel-processor\(-phase3\)\?", exporter=~"([^"]*)"', alert)
    assert matcher is not None
    assert {name for name in exporters if re.fullmatch(matcher[1], name)} == queued


@pytest.mark.parametrize(
    ("file", "receivers"), [("otel-processor/processor.yaml", 4), ("otel-copier/copier.yaml", 3)]
)
def test_what_kafka_brings_is_tried_again_later_and_later(file: str, receivers: int) -> None:
    """The receiver takes what is not said for 0, and then tries again without any wait."""
    found = Document.read(file).get("receivers")
    backoffs = [receiver["error_backoff"] for name, receiver in found.items() if name.startswith("kafka/")]
    assert len(backoffs) == receivers
    for backoff in backoffs:
        assert (backoff["multiplier"], backoff["randomization_factor"]) == (1.5, 0.5)


@pytest.mark.parametrize(
    ("settings", "remembered"),
    [
        ({}, 100_000),
        ({"sampling": {"maxTraces": 1_000}}, 100_000),
        ({"sampling": {"maxTraces": 700_000}}, 700_000),
        ({"sizing": {"preset": "large"}}, 200_000),
    ],
)
def test_a_yes_is_remembered_for_as_many_traces_as_are_held(
    settings: dict[str, Any], remembered: int
) -> None:
    """A no is not, but for the last: the error may come later, and is looked at then."""
    sampler = collector(run_program({"phase": 2, **settings}), "otel-processor")["processors"][
        "tail_sampling"
    ]
    assert sampler["decision_cache"] == {"sampled_cache_size": remembered, "non_sampled_cache_size": 1}
    assert sampler["num_traces"] <= remembered


@pytest.mark.parametrize(
    ("sampling", "interval"),
    [
        ({}, "60s"),
        ({"decisionWait": "2s"}, "60s"),
        ({"decisionWait": "60s"}, "360s"),
        ({"mode": "none"}, "1s"),
    ],
)
def test_most_kills_of_a_sampler_come_when_nothing_is_undecided_since_its_commit(
    sampling: dict[str, Any], interval: str
) -> None:
    processor = collector(run_program({"phase": 2, "sampling": sampling}), "otel-processor")
    assert processor["receivers"]["kafka/traces"]["autocommit"]["interval"] == interval


@pytest.mark.parametrize("mode", ["tail", "head", "none"])
def test_what_a_sampler_has_kept_is_stored_also_after_another_way_of_sampling(mode: str) -> None:
    """Its records in Kafka are done, so nobody would read the trace again from there."""
    found = collector(run_program({"phase": 2, "sampling": {"mode": mode}}), "otel-processor")
    kept = found["service"]["pipelines"]["traces/sampled"]
    assert (kept["receivers"], kept["exporters"]) == (["kafka/sampled"], ["otlp_grpc/jaeger"])
    assert found["receivers"]["kafka/sampled"]["group_id"] == "otel-sampled-processors"
    assert ("kafka/sampled" in found["exporters"]) is (mode == "tail")


@pytest.mark.parametrize("name", ["otel-collector", "otel-gateway", "otel-processor", "otel-copier"])
def test_memory_is_an_alert_before_data_is_refused(name: str) -> None:
    copied = {"copyTo": {"endpoint": "other.example.com:4317"}}
    result = run_program({"phase": 2, "sizing": {"preset": "medium"}, "kafka": copied})
    limiter = collector(result, name)["processors"]["memory_limiter"]
    memory = next(one for one in result.of(CONTAINER) if one.name in (name, f"{name}-1")).inputs["memory"]
    threshold = float(expression("CollectorMemoryHigh").rpartition(">")[2])
    assert 0 < threshold < (limiter["limit_mib"] - limiter["spike_limit_mib"]) / memory


@pytest.mark.parametrize("name", ["otel-collector", "otel-gateway", "otel-processor", "otel-copier"])
def test_garbage_is_collected_before_data_is_refused_for_it(name: str) -> None:
    """A check that comes too soon after the last collection refuses without one: by default nine of ten."""
    copied = {"copyTo": {"endpoint": "other.example.com:4317"}}
    limiter = collector(run_program({"phase": 2, "kafka": copied}), name)["processors"]["memory_limiter"]
    assert (limiter["check_interval"], limiter["min_gc_interval_when_soft_limited"]) == ("1s", "500ms")


@pytest.mark.parametrize(
    ("phase", "name"), [(1, "otel-collector"), (2, "otel-collector"), (2, "otel-processor")]
)
@pytest.mark.parametrize(
    ("rate", "counted"), [(1_000, 1_000), (1_001, 5_000), (10_000, 5_000), (10_001, 20_000)]
)
def test_names_with_identifiers_take_only_so_much_of_the_stores_memory(
    phase: int, name: str, rate: int, counted: int
) -> None:
    """Those that do not come any more make room, but not so often that the store holds many times as many."""
    result = run_program({"phase": phase, "sizing": {"eventsPerSecond": rate}})
    metrics = collector(result, name)["connectors"]["span_metrics"]
    assert metrics["aggregation_cardinality_limit"] == counted
    assert metrics["series_expiration"] == "3h"


@pytest.mark.parametrize(("largest", "taken"), [(None, 16), (REQUEST, 17)])
def test_jaeger_takes_what_a_collector_sends(largest: str | None, taken: int) -> None:
    """Twice a batch: attributes that are made of lists have names of their own."""
    ingest = {} if largest is None else {"ingest": {"maxMessageSize": largest}}
    result = run_program({"phase": 2, **ingest})
    receiver = collector(result, "jaeger")["receivers"]["otlp"]["protocols"]["grpc"]
    assert receiver["max_recv_msg_size_mib"] == taken
    batch = collector(result, "otel-processor")["exporters"]["kafka/sampled"]["sending_queue"]["batch"]
    assert receiver["max_recv_msg_size_mib"] * 2**20 >= 2 * batch["max_size"]


@pytest.mark.parametrize(("in_order", "partitioner"), [(False, True), (True, False)])
def test_metrics_stay_in_order_where_that_is_wanted(in_order: bool, partitioner: bool) -> None:
    """All of one resource are in one partition then, instead of in each in turn."""
    found = collector(run_program({"phase": 2, "kafka": {"metricsInOrder": in_order}}), "otel-gateway")
    exporter = found["exporters"]["kafka/metrics"]
    assert ("record_partitioner" in exporter) is partitioner
    assert exporter.get("partition_metrics_by_resource_attributes", False) is in_order
