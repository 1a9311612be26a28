"""The copy to another stack: when it is made, how it is configured, what else must know of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.alerts.rules import alert_rules
from components.collector_copier import AUTHORITY_FILE, COPIERS, NAME
from components.composition.consumer_groups import stack_groups, topic_readers
from components.kafka.topics import SOURCES
from components.settings import Settings, SettingsError
from components.values.documents import Document
from components.values.quantities import Duration
from tests.support.program import CONTAINER, Result, run_program
from tests.support.variants import CA, CLUSTER_VARIANTS, VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS

OTHER = "otlp-grpc.example.com:4317"
COPIED = {"phase": 2, "kafka": {"copyTo": {"endpoint": OTHER}}}
EXTERNAL = VARIANTS["phase2-external-kafka"]


def copying(settings: dict[str, Any], **copy: Any) -> dict[str, Any]:
    """Give settings with a copy."""
    return {**settings, "kafka": {**settings.get("kafka", {}), "copyTo": {"endpoint": OTHER, **copy}}}


def files(result: Result, name: str = NAME) -> dict[str, str]:
    """Give the files of a container, by the end of their path."""
    holder = next(one for one in result.of(CONTAINER) if one.name.startswith(f"{name}-config-"))
    uploads = holder.plain("uploads")
    return {upload["file"].removeprefix("/etc/otelcol/"): upload["content"] for upload in uploads}


def configuration(result: Result) -> Any:
    return yaml.safe_load(files(result)["config.yaml"])


def names(result: Result) -> set[str]:
    return {one.name for one in result.of(CONTAINER)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({**COPIED, "phase": 1}, rf"kafka\.copyTo: '{OTHER}': .* phase 1 does not have; set phase: 2"),
        (copying({"phase": 2}, endpoint="other"), r"kafka\.copyTo\.endpoint: 'other': write host:port"),
        (copying({"phase": 2}, endpoint="http://other:4317"), r"kafka\.copyTo\.endpoint: .*write host:port"),
        (copying({"phase": 2}, tls=False, ca=CA), r"kafka\.copyTo\.ca: .* only for kafka\.copyTo\.tls: true"),
        (copying({"phase": 2}, ca="ca.pem"), r"kafka\.copyTo\.ca: 'ca\.pem': write certificates in PEM"),
        ({"phase": 2, "kafka": {"copyTo": {"tls": False}}}, r"kafka\.copyTo"),
        (copying({"phase": 2}, endpoint="otel-gateway:4317"), r"endpoint: .* this stack itself"),
        (copying({"phase": 2}, endpoint="127.0.0.1:4317"), r"endpoint: .* this stack itself"),
        (
            copying({"phase": 2, "docker": {"advertisedHost": "node.example"}}, endpoint="node.example:4317"),
            r"endpoint: 'node\.example:4317': this stack itself",
        ),
        (
            copying(CLUSTER_VARIANTS["phase3-small"], endpoint="otel-gateway.observability.svc:4317"),
            r"endpoint: .* this stack itself",
        ),
        (
            copying(CLUSTER_VARIANTS["phase3-load-balancer"], endpoint="otlp-grpc.example.com:443"),
            r"endpoint: .* this stack itself",
        ),
    ],
)
def test_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load(settings)


@pytest.mark.parametrize("endpoint", ["otel-gateway.other.svc:4317", "10.0.0.7:4317"])
def test_the_same_program_of_another_stack_is_accepted(endpoint: str) -> None:
    settings = copying(CLUSTER_VARIANTS["phase3-small"], endpoint=endpoint)
    assert Settings.load(settings).kafka.copy_to is not None


def test_it_is_there_only_where_it_is_asked_for() -> None:
    """And nothing else differs but what scrapes it and misses it."""
    plain, copied = run_program({"phase": 2}), run_program(COPIED)
    added = {name.partition("-config-")[0] for name in names(copied) - names(plain)}
    assert added == {"otel-copier-1", "otel-copier-1-ready", NAME, "prometheus"}
    assert files(plain, "otel-processor") == files(copied, "otel-processor")


@pytest.mark.parametrize(
    ("copy", "tls"),
    [
        ({}, {"insecure": False}),
        ({"tls": False}, {"insecure": True}),
        ({"ca": CA}, {"insecure": False, "ca_file": f"/etc/otelcol/{AUTHORITY_FILE}"}),
    ],
)
def test_the_other_stack_is_reached_as_the_settings_say(copy: dict[str, Any], tls: dict[str, Any]) -> None:
    result = run_program(copying({"phase": 2}, **copy))
    exporter = configuration(result)["exporters"]["otlp_grpc/copy"]
    assert (exporter["endpoint"], exporter["tls"]) == (OTHER, tls)
    assert (files(result).get(AUTHORITY_FILE) == CA) is ("ca" in copy)


def test_a_record_is_done_only_when_the_other_stack_has_it() -> None:
    found = configuration(run_program(COPIED))
    assert {exporter["sending_queue"]["enabled"] for exporter in found["exporters"].values()} == {False}
    assert found["exporters"]["otlp_grpc/copy"]["retry_on_failure"]["max_elapsed_time"] == 0
    for receiver in found["receivers"].values():
        assert receiver["message_marking"] == {"after": True, "on_error": False, "on_permanent_error": False}
        assert receiver["error_backoff"]["max_elapsed_time"] == 0
        assert receiver["initial_offset"] == "earliest"


def test_it_copies_what_the_gateways_wrote_as_it_is() -> None:
    """The topic of kept traces is none of it: the other stack samples by itself."""
    found = configuration(run_program(COPIED))
    assert found["service"]["pipelines"] == {
        signal: {
            "receivers": [f"kafka/{signal}"],
            "processors": ["memory_limiter"],
            "exporters": ["otlp_grpc/copy"],
        }
        for signal in COPIERS
    }
    for signal, group in COPIERS.items():
        receiver = found["receivers"][f"kafka/{signal}"]
        assert (receiver["group_id"], receiver[signal]["topics"]) == (group, [SOURCES[signal]])


def test_it_reads_as_the_processors_do() -> None:
    """But for its groups, its names, and what becomes of a record that is refused for good."""
    processor = Document.read("otel-processor/processor.yaml").get("receivers")
    copier = Document.read("otel-copier/copier.yaml").get("receivers")
    for name, receiver in copier.items():
        like = {**processor[name]}
        like.pop("autocommit", None)
        for key in ("client_id", "group_id", "group_instance_id", "message_marking"):
            like[key] = receiver[key]
        assert receiver == like


def test_it_logs_in_to_an_external_kafka() -> None:
    found = configuration(run_program(copying(EXTERNAL)))
    for receiver in found["receivers"].values():
        assert receiver["brokers"] == EXTERNAL["kafka"]["bootstrapServers"]
        assert receiver["auth"]["sasl"]["password"] == "${file:/etc/otelcol/secrets/kafka-password}"


@pytest.mark.parametrize(
    "settings", [{"phase": 2}, CLUSTER_VARIANTS["phase3-small"], OBJECT_VARIANTS["phase4-small"]]
)
def test_its_lag_is_shown_and_keeps_no_partition_from_being_added(settings: dict[str, Any]) -> None:
    plain, copied = Settings.load(settings), Settings.load(copying(settings))
    assert stack_groups(copied) == {
        **stack_groups(plain),
        "otel-trace-copiers": "otlp-traces",
        "otel-metric-copiers": "otlp-metrics",
        "otel-log-copiers": "otlp-logs",
    }
    assert topic_readers(copied, "otlp-traces") == topic_readers(plain, "otlp-traces")


def test_it_is_scraped_and_missed() -> None:
    prometheus = next(
        upload["content"]
        for one in run_program(COPIED).of(CONTAINER)
        if one.name.startswith("prometheus-config-")
        for upload in one.plain("uploads")
        if upload["file"].endswith("prometheus.yaml")
    )
    jobs = {job["job_name"]: job for job in yaml.safe_load(prometheus)["scrape_configs"]}
    assert jobs[NAME]["dns_sd_configs"][0]["names"] == [NAME]


@pytest.mark.parametrize("alert", ["KafkaPartitionStuck", "KafkaCopyLagGrowing", "KafkaCopyStopped"])
def test_the_alerts_name_kafkas_retention(alert: str) -> None:
    rules = alert_rules({}, {}, Duration(7200), copies_counted=False)
    groups = yaml.safe_load(rules["buffer.yaml"])["groups"]
    rule = next(rule for group in groups for rule in group["rules"] if rule.get("alert") == alert)
    assert "retention (2h)" in rule["annotations"]["description"]
