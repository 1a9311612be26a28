from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.kafka.topics import SOURCES
from components.load_balancer import LEAST_CALLS, most_calls
from components.sections.kafka import KafkaSection
from components.sections.postgres import PostgresSection
from components.sections.sizing import LimitSizing, ProgramSizing, SizingSection, TierSizing
from components.sections.stack import RetentionSection, SamplingSection
from components.sections.stores import MimirSection, StoresSection
from components.settings import Settings, SettingsError
from components.settings.checks.stack import MINIMUM_MEMORY
from components.sizing import SHARES, declared_rate, size_stack, stored_bytes
from components.sizing.buffer import BUFFERED_BYTES, SEGMENT, segment_age, size_buffer
from components.sizing.programs import PRESETS
from components.sizing.stores import (
    BYTES_PER_SERIES,
    COPIES,
    SERIES_PER_SAMPLE,
    StoresSize,
    series_held,
    size_stores,
)
from components.values.quantities import Duration, Size, gibibytes, mebibytes
from tests.support.encrypted import encrypted
from tests.support.program import CONTAINER, ROOT, run_program


def test_nothing_said_is_small() -> None:
    assert declared_rate(SizingSection()) == PRESETS["small"]
    assert size_stack(SizingSection(), RetentionSection()) == size_stack(
        SizingSection(preset="small"), RetentionSection()
    )


@given(rate=st.integers(1, 100_000), more=st.integers(0, 100_000))
def test_more_events_never_get_less(rate: int, more: int) -> None:
    low = size_stack(SizingSection(events_per_second=rate), RetentionSection())
    high = size_stack(SizingSection(events_per_second=rate + more), RetentionSection())
    assert high.log_bytes_per_second >= low.log_bytes_per_second
    for program, size in low.programs.items():
        assert high.programs[program].memory >= size.memory
        assert high.programs[program].cpus >= size.cpus
        assert high.programs[program].volume >= size.volume


@given(rate=st.integers(1, 100_000), days=st.integers(1, 400))
def test_volumes_hold_the_retention(rate: int, days: int) -> None:
    retention = RetentionSection(traces=Duration(days * 86400), logs=Duration(days * 86400))
    programs = size_stack(SizingSection(events_per_second=rate), retention).programs
    assert programs["jaeger"].volume >= stored_bytes("traces", rate, retention.traces)
    assert programs["loki"].volume >= stored_bytes("logs", rate, retention.logs)


def test_presets_stay_above_what_programs_need() -> None:
    for rate in PRESETS.values():
        programs = size_stack(SizingSection(events_per_second=rate), RetentionSection()).programs
        assert all(size.memory >= MINIMUM_MEMORY[name] for name, size in programs.items())
        buffer = size_buffer(SizingSection(events_per_second=rate), KafkaSection(), SamplingSection())
        tiers = {"gateway": buffer.gateway.each, "processor": buffer.processor.each}
        singles = {"kafka": buffer.broker, "haproxy": buffer.load_balancer}
        assert all(size.memory >= MINIMUM_MEMORY[name] for name, size in {**tiers, **singles}.items())


SERIES_BYTES, SERIES = 1_005 * 2**20 / 600_000, 15
"""Measured: memory of a series in Prometheus, and series of one operation in a collector."""


@pytest.mark.parametrize("rate", PRESETS.values())
def test_a_service_with_identifiers_in_its_names_leaves_prometheus_most_of_its_memory(rate: int) -> None:
    sizing = SizingSection(events_per_second=rate)
    size = size_stack(sizing, RetentionSection())
    processors = size_buffer(sizing, KafkaSection(), SamplingSection()).processor.replicas
    taken = 2 * processors * size.operations * SERIES * SERIES_BYTES
    assert taken <= size.programs["prometheus"].memory.bytes / 4


def test_the_guides_disk_for_metrics() -> None:
    assert size_stack(SizingSection(), RetentionSection()).metrics_size == Size(40 * 10**9)


@given(rate=st.integers(1, 3_000_000))
def test_every_processor_has_a_partition_and_their_number_can_grow(rate: int) -> None:
    buffer = size_buffer(SizingSection(events_per_second=rate), KafkaSection(), SamplingSection())
    assert buffer.partitions >= 2 * buffer.processor.replicas
    assert buffer.partitions in {6, 12} or rate > 250_000


@pytest.mark.parametrize(
    ("rate", "partitions"), [(10_000, 6), (10_001, 12), (250_000, 12), (250_001, 24), (550_000, 24)]
)
def test_partitions_are_those_that_the_documents_say(rate: int, partitions: int) -> None:
    size = size_buffer(SizingSection(events_per_second=rate), KafkaSection(), SamplingSection())
    assert size.partitions == partitions


def test_another_number_of_processors_leaves_the_partitions_alone() -> None:
    sizing = SizingSection(processor=TierSizing(replicas=5))
    assert size_buffer(sizing, KafkaSection(), SamplingSection()).partitions == 6


def test_a_single_value_is_overridden() -> None:
    loki = ProgramSizing(memory=gibibytes(7))
    plain, changed = (
        size_stack(section, RetentionSection()) for section in (SizingSection(), SizingSection(loki=loki))
    )
    assert changed.programs["loki"].memory == gibibytes(7)
    assert changed.programs["loki"].cpus == plain.programs["loki"].cpus
    assert changed.programs["jaeger"] == plain.programs["jaeger"]


@pytest.mark.parametrize(
    ("rate", "gateways", "processors"),
    [(1_000, 2, 2), (50_000, 2, 2), (50_001, 2, 3), (100_001, 3, 4), (200_000, 3, 5)],
)
def test_one_replica_more_than_the_measured_rates_ask_for(rate: int, gateways: int, processors: int) -> None:
    buffer = size_buffer(SizingSection(events_per_second=rate), KafkaSection(), SamplingSection())
    assert (buffer.gateway.replicas, buffer.processor.replicas) == (gateways, processors)


@pytest.mark.parametrize("preset", ["small", "medium", "large"])
def test_a_brokers_heap_is_promised_to_it(preset: str) -> None:
    buffer = Settings.load({"phase": 2, "sizing": {"preset": preset, "kafka": {"memory": "3GiB"}}}).buffer
    assert buffer.heap.bytes < buffer.broker.reserved_memory.bytes < buffer.broker.memory.bytes


@given(
    rate=st.integers(1, 1_000_000),
    hours=st.integers(1, 24 * 14),
    partitions=st.integers(1, 1000),
    mode=st.sampled_from(["tail", "head", "none"]),
)
def test_kafka_holds_the_retention(rate: int, hours: int, partitions: int, mode: Any) -> None:
    """Neither a partition's size nor a broker's disk ends before the time does."""
    retention = Duration(hours * 3600)
    kafka = KafkaSection(retention=retention, partitions=partitions)
    buffer = size_buffer(SizingSection(events_per_second=rate), kafka, SamplingSection(mode=mode))
    bytes_of = {signal: rate * share * BUFFERED_BYTES * retention.seconds for signal, share in SHARES.items()}
    assert buffer.partition_size.bytes * partitions >= max(bytes_of.values())
    kept = bytes_of["traces"] if mode == "tail" else 0
    topics = 4 if mode == "tail" else 3
    assert buffer.broker.volume.bytes > sum(bytes_of.values()) + kept + topics * partitions * SEGMENT.bytes


def test_a_partition_keeps_what_is_said() -> None:
    said = size_buffer(SizingSection(), KafkaSection(retention_size=gibibytes(3)), SamplingSection())
    assert said.partition_size == gibibytes(3)
    assert size_buffer(SizingSection(), KafkaSection(), SamplingSection()).partition_size == gibibytes(10)


class TestSeriesOfMimir:
    def size(self, rate: int, **mimir: Any) -> StoresSize:
        stores = StoresSection(mimir=MimirSection(**mimir))
        return size_stores(SizingSection(events_per_second=rate), stores, PostgresSection())

    @pytest.mark.parametrize("rate", [100, 1_000, 10_000, 50_000, 200_000])
    def test_replicas_hold_the_series_that_are_accepted(self, rate: int) -> None:
        found = self.size(rate)
        mimir = found.parts["mimir"]
        held = found.series * COPIES / mimir.replicas * BYTES_PER_SERIES
        assert held <= mimir.each.memory.bytes
        assert found.series >= rate * SHARES["metrics"] * SERIES_PER_SAMPLE

    def test_more_series_are_more_replicas(self) -> None:
        found = self.size(1_000, max_series=500_000)
        assert found.series == 500_000
        assert found.parts["mimir"].replicas > COPIES

    @pytest.mark.parametrize("rate", [60_000, 100_000, 200_000])
    def test_more_memory_is_more_series_and_as_many_replicas(self, rate: int) -> None:
        """With fewer, half of the ring would stop at once."""
        unset = self.size(rate)
        doubled = self.size(rate, memory=Size(2 * unset.parts["mimir"].each.memory.bytes))
        assert doubled.parts["mimir"].replicas == unset.parts["mimir"].replicas
        assert doubled.series > 1.9 * unset.series

    def test_parts_without_data_have_limits_of_their_own(self) -> None:
        stores = StoresSection(parts=LimitSizing(memory=gibibytes(6), cpus=3))
        found = size_stores(SizingSection(events_per_second=60_000), stores, PostgresSection())
        others = [part for name, part in found.parts.items() if name not in found.keepers]
        assert {(part.each.memory, part.each.cpus) for part in others} == {(gibibytes(6), 3)}
        assert found.keepers == self.size(60_000).keepers

    def test_less_memory_is_more_replicas(self) -> None:
        halved = self.size(100_000, memory=gibibytes(4))
        assert halved.parts["mimir"].replicas > self.size(100_000).parts["mimir"].replicas

    def test_replicas_for_given_series_follow_from_the_memory(self) -> None:
        given = {"max_series": 1_600_000}
        assert self.size(100_000, **given).parts["mimir"].replicas == 6
        assert self.size(100_000, **given, memory=gibibytes(16)).parts["mimir"].replicas == 3

    @pytest.mark.parametrize("replicas", [4, 5, 6, 12])
    def test_the_series_that_replicas_hold_give_as_many_of_them(self, replicas: int) -> None:
        series = series_held(self.size(50_000).parts["mimir"].each, replicas)
        assert self.size(50_000, max_series=series).parts["mimir"].replicas == replicas


@pytest.mark.parametrize(
    ("memory", "connections", "with_tls"),
    [("64MiB", 186, 157), ("512MiB", 2792, 2363), ("1GiB", 5771, 4883)],
)
def test_haproxy_takes_as_many_connections_as_its_memory_holds(
    memory: str, connections: int, with_tls: int
) -> None:
    """One more would get it killed, and all of them with it; some are left for its health check."""
    sized = {"phase": 2, "sizing": {"haproxy": {"memory": memory}}}
    for settings, most in ((sized, connections), ({**sized, **encrypted("node.example")}, with_tls)):
        given = run_program(settings).container("haproxy").inputs["envs"]
        assert {f"MAX_CONNECTIONS={most}", f"MAX_OTLP_CONNECTIONS={most - 16}"} <= set(given)


@pytest.mark.parametrize(
    ("sizing", "largest", "calls"),
    [
        ({}, "4MiB", 16),
        ({"preset": "medium"}, "4MiB", 64),
        ({}, "8MiB", 8),
        ({"gateway": {"memory": "1GiB"}}, "8MiB", 16),
        ({"gateway": {"memory": "256MiB"}}, "8MiB", 4),
    ],
)
def test_a_gateway_gets_as_many_calls_as_its_memory_holds(
    sizing: dict[str, Any], largest: str, calls: int
) -> None:
    settings = {"phase": 2, "sizing": sizing, "ingest": {"maxMessageSize": largest}}
    assert f"MAX_CALLS={calls}" in run_program(settings).container("haproxy").inputs["envs"]


@pytest.mark.parametrize(("memory", "largest"), [(64, 8), (160, 8), (257, 49)])
def test_however_little_it_has_a_gateway_gets_some(memory: int, largest: int) -> None:
    assert most_calls(mebibytes(memory), mebibytes(largest)) == LEAST_CALLS


@pytest.mark.parametrize("preset", ["small", "large"])
def test_the_runbook_says_how_much_memory_haproxy_has(preset: Any) -> None:
    sizing = SizingSection(preset=preset)
    balancer = size_buffer(sizing, KafkaSection(), SamplingSection()).load_balancer.memory
    gateway = size_stores(sizing, StoresSection(), PostgresSection()).query_gateway.each.memory
    runbook = " ".join((ROOT / "docs/runbooks/alerts.md").read_text().split())
    said = f"`sizing.haproxy.memory`: {balancer} unless set, in phase 4 (the query gateway) {gateway}."
    assert said in runbook


@pytest.mark.parametrize("rate", [300, 1_000, 10_000, 29_000, 31_000, 50_000, 400_000])
def test_a_full_disk_refuses_before_what_may_be_unread_is_deleted(rate: int) -> None:
    """By default, whatever the rate; docs/phases.md says so."""
    size = size_buffer(SizingSection(events_per_second=rate), KafkaSection(), SamplingSection())
    assert size.partition_size.bytes * size.partitions * len(SOURCES) > size.broker.volume.bytes


def test_or_the_oldest_go_where_the_settings_say_so() -> None:
    """With the sizes that docs/phases.md gives for it."""
    kafka = {"retentionSize": "1GiB"}
    size = Settings.load({"phase": 2, "kafka": kafka, "sizing": {"kafka": {"volume": "32GiB"}}}).buffer
    most = (size.partition_size.bytes + SEGMENT.bytes) * size.partitions * len(SOURCES)
    assert most < size.broker.volume.bytes


@pytest.mark.parametrize(
    ("retention", "file", "oldest"),
    [("24h", 3600, 25 * 3600 + 600), ("7d", 7 * 3600, 7 * 25 * 3600 + 600), ("1h", 600, 3600 + 1200)],
)
def test_what_kafka_may_still_hand_out_is_accepted(retention: str, file: int, oldest: int) -> None:
    """Kafka deletes whole files, of which it begins another in good time however little there is to write."""
    given = {"phase": 2, "kafka": {"retention": retention}}
    settings = Settings.load(given)
    assert segment_age(settings.kafka.retention).seconds == file
    assert settings.oldest_replayed.seconds == oldest
    assert settings.out_of_order.seconds == max(oldest, 24 * 3600)
    kept = Settings.load({**given, "retention": {"metricsOutOfOrder": "30d"}})
    assert kept.out_of_order.days == 30


def test_without_kafka_samples_may_be_as_late_as_the_settings_say() -> None:
    assert Settings.load({"phase": 1}).out_of_order.seconds == 24 * 3600


@pytest.mark.parametrize("volume", ["5GiB", "570GiB"])
def test_a_broker_has_room_for_what_the_declared_rate_brings(volume: str) -> None:
    given = {"phase": 2, "sizing": {"preset": "large", "kafka": {"volume": volume}}}
    said = rf"sizing\.kafka\.volume: '{volume}': 50,000 events/s fill it .* takes about 691GiB: enlarge"
    with pytest.raises(SettingsError, match=said):
        Settings.load(given)
    Settings.load({**given, "kafka": {"mode": "external", "bootstrapServers": ["kafka.example.com:9092"]}})


@pytest.mark.parametrize(("memory", "held"), [("1GiB", "256MB"), ("4GiB", "1024MB")])
def test_loki_replays_its_log_within_its_memory(memory: str, held: str) -> None:
    """With its own default, 4 GB, one that was killed for want of memory would be killed again and again."""
    result = run_program({"sizing": {"preset": "small", "loki": {"memory": memory}}})
    (text,) = [
        upload["content"]
        for one in result.of(CONTAINER)
        if one.name.startswith("loki-config-")
        for upload in one.plain("uploads")
    ]
    assert yaml.safe_load(text)["ingester"]["wal"]["replay_memory_ceiling"] == held
