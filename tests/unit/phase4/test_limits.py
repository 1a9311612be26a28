"""What settings say about phase 4's stores reaches their configuration: ages, windows, limits, buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache, reduce
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from components.sections.stores import LokiSection, MimirSection, TempoSection
from tests.support.made import made
from tests.support.manifests import Tree, tree
from tests.support.phase4 import objects_of
from tests.support.program import run_program
from tests.support.variants_phase4 import OBJECT_VARIANTS

SECTIONS = {"tempo": TempoSection, "mimir": MimirSection, "loki": LokiSection}
LIMITS = {"memory", "cpus", "volume"}
"""Of one replica; the program is not told of them in its configuration."""

GIVEN: dict[str, Any] = {
    "phase": 4,
    "kubernetes": OBJECT_VARIANTS["phase4-small"]["kubernetes"],
    "objectStorage.provider": "s3",
    "objectStorage.bucketPrefix": "acme",
    "objectStorage.buckets.traces": "kept-traces",
    "objectStorage.buckets.metrics": "kept-metrics",
    "objectStorage.buckets.ruler": "kept-rules",
    "objectStorage.buckets.alertmanager": "kept-silences",
    "objectStorage.buckets.logs": "kept-logs",
    "objectStorage.s3.endpoint": "s3.storage.example.com:9443",
    "objectStorage.s3.region": "site-7",
    "objectStorage.s3.tls": True,
    "objectStorage.s3.caSecret": "s3-ca",
    "objectStorage.s3.credentialsSecret": "s3-credentials",
    "retention.traces": "17d",
    "retention.metrics": "401d",
    "retention.logs": "53d",
    "retention.metricsOutOfOrder": "300h",
    "kafka.retention": "10d",
    "sampling.decisionWait": "23s",
    "ingest.maxMessageSize": "20MiB",
    "stores.tempo.memory": "7GiB",
    "stores.tempo.cpus": 1.5,
    "stores.tempo.volume": "611GiB",
    "stores.tempo.maxTraceSize": "31MB",
    "stores.tempo.maxAttributeSize": "96KiB",
    "stores.tempo.rate": "47MiB",
    "stores.tempo.serviceGraphSeries": 4_321,
    "stores.mimir.memory": "9GiB",
    "stores.mimir.cpus": 2.5,
    "stores.mimir.volume": "612GiB",
    "stores.mimir.maxSeries": 1_234_567,
    "stores.mimir.samplesPerSecond": 71_111,
    "stores.mimir.maxExemplars": 4_567,
    "stores.mimir.rules": "api",
    "stores.mimir.addDeltas": True,
    "stores.loki.memory": "11GiB",
    "stores.loki.cpus": 3.5,
    "stores.loki.volume": "613GiB",
    "stores.loki.maxStreams": 5_432,
    "stores.loki.rate": "150MiB",
}
RENDERED: list[tuple[str, str, str, Any]] = [
    ("retention.traces", "tempo", "compactor.compaction.block_retention", "408h"),
    ("retention.metrics", "mimir", "limits.compactor_blocks_retention_period", "9624h"),
    ("retention.logs", "loki-cluster", "limits_config.retention_period", "1272h"),
    ("retention.metricsOutOfOrder", "mimir", "limits.out_of_order_time_window", "1080000s"),
    ("retention.metricsOutOfOrder", "mimir", "limits.query_ingesters_within", "302h"),
    ("kafka.retention", "tempo", "storage.trace.wal.ingestion_time_range_slack", "251h"),
    ("kafka.retention", "loki-cluster", "limits_config.reject_old_samples_max_age", "251h"),
    ("kafka.retention", "loki-cluster", "querier.query_ingesters_within", "253h"),
    ("sampling.decisionWait", "tempo", "metrics_generator.metrics_ingestion_time_range_slack", "83s"),
    (
        "ingest.maxMessageSize",
        "tempo",
        "distributor.receivers.otlp.protocols.grpc.max_recv_msg_size_mib",
        41,
    ),
    ("stores.tempo.maxTraceSize", "tempo", "overrides.defaults.global.max_bytes_per_trace", 31_000_000),
    ("stores.tempo.maxTraceSize", "tempo", "server.grpc_server_max_recv_msg_size", 62_000_000),
    ("stores.tempo.maxTraceSize", "tempo", "server.grpc_server_max_send_msg_size", 62_000_000),
    (
        "stores.tempo.maxTraceSize",
        "tempo",
        "querier.frontend_worker.grpc_client_config.max_send_msg_size",
        62_000_000,
    ),
    ("stores.tempo.maxAttributeSize", "tempo", "distributor.max_attribute_bytes", 96 * 2**10),
    ("stores.tempo.rate", "tempo", "overrides.defaults.ingestion.rate_limit_bytes", 47 * 2**20),
    ("stores.tempo.rate", "tempo", "overrides.defaults.ingestion.burst_size_bytes", 94 * 2**20),
    (
        "stores.tempo.serviceGraphSeries",
        "tempo",
        "overrides.defaults.metrics_generator.max_active_series",
        4_321,
    ),
    ("stores.mimir.maxSeries", "mimir", "limits.max_global_series_per_user", 1_234_567),
    ("stores.mimir.samplesPerSecond", "mimir", "limits.ingestion_rate", 71_111),
    ("stores.mimir.samplesPerSecond", "mimir", "limits.ingestion_burst_size", 711_110),
    ("stores.mimir.maxExemplars", "mimir", "limits.max_global_exemplars_per_user", 4_567),
    ("stores.mimir.rules", "mimir", "ruler_storage.backend", "s3"),
    (
        "stores.mimir.addDeltas",
        "otel-processor",
        "service.pipelines.metrics.processors",
        ["memory_limiter", "deltatocumulative"],
    ),
    ("stores.loki.memory", "loki-cluster", "ingester.wal.replay_memory_ceiling", "2816MB"),
    ("stores.loki.maxStreams", "loki-cluster", "limits_config.max_global_streams_per_user", 5_432),
    ("stores.loki.rate", "loki-cluster", "limits_config.ingestion_rate_mb", 150),
    ("stores.loki.rate", "loki-cluster", "limits_config.ingestion_burst_size_mb", 300),
    ("stores.loki.rate", "loki-cluster", "limits_config.per_stream_rate_limit", "150MB"),
    ("stores.loki.rate", "loki-cluster", "limits_config.per_stream_rate_limit_burst", "300MB"),
    ("objectStorage.buckets.traces", "tempo", "storage.trace.s3.bucket", "kept-traces"),
    ("objectStorage.buckets.metrics", "mimir", "blocks_storage.s3.bucket_name", "kept-metrics"),
    ("objectStorage.buckets.ruler", "mimir", "ruler_storage.s3.bucket_name", "kept-rules"),
    ("objectStorage.buckets.alertmanager", "mimir", "alertmanager_storage.s3.bucket_name", "kept-silences"),
    ("objectStorage.buckets.logs", "loki-cluster", "storage_config.object_store.s3.bucket_name", "kept-logs"),
    *(
        (f"objectStorage.s3.{setting}", program, f"{client}.{key}", value)
        for program, client, authority in (
            ("tempo", "storage.trace.s3", "tls_ca_path"),
            ("mimir", "common.storage.s3", "http.tls_ca_path"),
            ("loki-cluster", "storage_config.object_store.s3", "http.tls_ca_path"),
        )
        for setting, key, value in (
            ("endpoint", "endpoint", "s3.storage.example.com:9443"),
            ("region", "region", "site-7"),
            ("tls", "insecure", False),
            ("caSecret", authority, f"/etc/{program.partition('-')[0]}/secrets/s3-ca.crt"),
        )
    ),
]
"""Setting, the program that is told of it, where in its configuration, and how it is written there."""


def nested(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings by their whole names in the form of a stack's configuration."""
    config: dict[str, Any] = {}
    for name, value in given.items():
        *sections, key = name.split(".")
        parent = reduce(lambda node, section: node.setdefault(section, {}), sections, config)
        parent[key] = value
    return config


@cache
def with_everything_given() -> Tree:
    config = nested(GIVEN)
    return tree(run_program(config), config)


def rendered(found: Tree, program: str, keys: str) -> Any:
    """Give what a store's configuration says at a path."""
    file = "config.yaml" if program.startswith("otel-") else f"{program}.yaml"
    return reduce(lambda node, key: node[key], keys.split("."), found.document(program, file))


@pytest.mark.parametrize(("setting", "program", "keys", "value"), RENDERED)
def test_a_setting_reaches_the_store(setting: str, program: str, keys: str, value: Any) -> None:
    assert setting in GIVEN
    assert rendered(with_everything_given(), program, keys) == value
    assert rendered(objects_of("phase4-small"), program, keys) != value, "it is no value of its own"


def test_who_adds_up_deltas_reads_all_of_a_resource() -> None:
    """Two processors would each know a part of a sum."""
    by_resource = rendered(with_everything_given(), "otel-gateway", "exporters.kafka/metrics")
    assert by_resource["partition_metrics_by_resource_attributes"]
    assert "record_partitioner" not in by_resource, "that of the client goes by the key"
    spread = rendered(objects_of("phase4-small"), "otel-gateway", "exporters.kafka/metrics")
    assert spread["record_partitioner"] == {"round_robin": {}}


def test_every_setting_of_a_store_is_tried() -> None:
    known = {
        f"stores.{store}.{to_camel(field.name)}"
        for store, section in SECTIONS.items()
        for field in fields(section)
    }
    assert known == {setting for setting in GIVEN if setting.startswith("stores.")}
    told = {setting for setting, _, _, _ in RENDERED}
    assert {setting for setting in known - told if setting.rpartition(".")[2] not in LIMITS} == set()


@pytest.mark.parametrize(
    ("program", "memory", "cpus", "volume"),
    [
        ("tempo", "7168Mi", "1500m", "611Gi"),
        ("mimir", "9216Mi", "2500m", "612Gi"),
        ("loki-cluster", "11264Mi", "3500m", "613Gi"),
    ],
)
def test_limits_of_a_replica_are_those_of_its_store(
    program: str, memory: str, cpus: str, volume: str
) -> None:
    found = with_everything_given().program(program)
    (container,) = found.containers
    (claim,) = found.object["spec"]["volumeClaimTemplates"]
    assert container["resources"]["limits"] == {"memory": memory, "cpu": cpus}
    assert claim["spec"]["resources"]["requests"] == {"storage": volume}


@pytest.mark.parametrize(
    ("kept_in_kafka", "out_of_order", "windows"),
    [
        ("10d", "1d", ("900600s", "253h", "251h", "251h", "253h")),
        ("1h", "1h", ("4800s", "13h", "2h", "168h", "4h")),
    ],
    ids=["Kafka keeps longer", "everything is short"],
)
def test_what_kafka_may_replay_is_accepted_and_found(
    kept_in_kafka: str, out_of_order: str, windows: tuple[str, ...]
) -> None:
    """However short, replicas are asked for what others cannot yet find in the bucket."""
    retention = {"metricsOutOfOrder": out_of_order}
    found = made("phase4-small", kafka={"retention": kept_in_kafka}, retention=retention)
    assert windows == (
        rendered(found, "mimir", "limits.out_of_order_time_window"),
        rendered(found, "mimir", "limits.query_ingesters_within"),
        rendered(found, "tempo", "storage.trace.wal.ingestion_time_range_slack"),
        rendered(found, "loki-cluster", "limits_config.reject_old_samples_max_age"),
        rendered(found, "loki-cluster", "querier.query_ingesters_within"),
    )


def test_a_whole_request_is_within_the_burst_of_the_slowest_rate() -> None:
    """What exceeds the burst would be told to wait for ever."""
    stores = {"tempo": {"rate": "1MiB"}, "mimir": {"samplesPerSecond": 10}, "loki": {"rate": "1MiB"}}
    found = made("phase4-small", stores=stores)
    assert rendered(found, "tempo", "overrides.defaults.ingestion.burst_size_bytes") == 20 * 2**20
    assert rendered(found, "mimir", "limits.ingestion_burst_size") == 500_000
    assert rendered(found, "loki-cluster", "limits_config.ingestion_burst_size_mb") == 256
    assert rendered(found, "loki-cluster", "limits_config.per_stream_rate_limit_burst") == "256MB"


@pytest.mark.parametrize("program", ["tempo", "mimir", "loki-cluster"])
def test_all_parts_of_a_store_are_told_the_same(program: str) -> None:
    """One compacts and deletes by age, another accepts, a third answers queries."""
    found = objects_of("phase4-split")
    every = [found.files(one) for one in found.programs()]
    told = [files[f"{program}.yaml"] for files in every if f"{program}.yaml" in files]
    assert len(told) == {"tempo": 6, "mimir": 3, "loki-cluster": 3}[program]
    assert told == [told[0]] * len(told)


def test_lokis_compactor_deletes_by_age(phase4_small: Tree) -> None:
    assert rendered(phase4_small, "loki-cluster", "compactor.retention_enabled") is True
    assert rendered(phase4_small, "loki-cluster", "compactor.delete_request_store") == "s3"
