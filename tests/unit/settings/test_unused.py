"""Settings that the chosen phase does not use: told, and not held against the stack."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import Settings
from tests.support.encrypted import encrypted
from tests.support.program import ROOT
from tests.support.variants import CLUSTER_VARIANTS, VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS

EVERY: dict[str, dict[str, Any]] = {**VARIANTS, **CLUSTER_VARIANTS, **OBJECT_VARIANTS}
CLUSTER, OBJECTS, HISTORY, ON_AWS = (
    EVERY[name] for name in ("phase3-small", "phase4-small", "phase4-history", "phase4-aws")
)


def about_use(settings: dict[str, Any]) -> list[str]:
    said = ("does not use it", "uses it")
    warnings = Settings.load(settings).warnings()
    return [warning for warning in warnings if any(words in warning for words in said)]


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({"sampling": {"mode": "none"}}, "sampling: set: phase 1 does not use it; phases 2, 3 and 4 do"),
        (
            {"alerting": {"contactPoints": [{"name": "ops", "type": "slack", "secret": "slack"}]}},
            "alerting.contactPoints: set: phase 1 does not use it; phase 4 does",
        ),
        (
            {"alerting": {"smtp": {"host": "mail.example.com", "fromAddress": "ops@example.com"}}},
            "alerting.smtp: set: phase 1 does not use it; phase 4 does",
        ),
        ({"phase": 2, "grafana": {"replicas": 3}}, "grafana.replicas: set: phase 2 .*; phase 4 does"),
        ({"query": {"haproxyPort": 9404}}, "query.haproxyPort: set: phase 1 does not use it; phase 2 does"),
        ({**CLUSTER, "query": {"haproxyPort": 9404}}, "query: set: phase 3 does not use it; .* 1 and 2 do"),
        ({"kafkaPassword": "hunter2"}, "kafkaPassword: set: phase 1 does not use it"),
        ({"stores": {"shape": "split"}}, "stores: set: phase 1 does not use it; phase 4 does"),
        ({"phase": 2, "autoscaling": {"lag": "keda"}}, "autoscaling: set: .*phases 3 and 4 do"),
        ({**CLUSTER, "docker": {"advertisedHost": "otel"}}, "docker: set: .*phases 1 and 2 do"),
        ({**CLUSTER, "sizing": {"haproxy": {"cpus": 1}}}, "sizing.haproxy: set: .*phases 2 and 4 do"),
        ({**OBJECTS, "sizing": {"loki": {"memory": "2GiB"}}}, "sizing.loki: set: .*phases 1, 2 and 3 do"),
        *(
            (
                {**cluster, "ingest": encrypted("node.example")["ingest"]},
                "ingest.tls: set: .*phases 1 and 2 do",
            )
            for cluster in (CLUSTER, OBJECTS)
        ),
        *(
            ({**cluster, section: {key: value}}, f"{section}.{key}: set: .*phases 1 and 2 do")
            for cluster in (CLUSTER, OBJECTS)
            for section, key, value in (
                ("ingest", "bindAddress", "0.0.0.0"),
                ("ingest", "grpcPort", 14317),
                ("ingest", "httpPort", 14318),
                ("grafana", "bindAddress", "0.0.0.0"),
                ("grafana", "port", 13000),
            )
        ),
        (
            {**OBJECTS, "retention": {"metricsSize": "50GB"}},
            "retention.metricsSize: set: phase 4 does not use it; phases 1, 2 and 3 do",
        ),
        *(
            (
                {**objects, "sizing": {"grafana": {"volume": "9GiB"}}},
                "sizing.grafana.volume: set: phase 4 does not use it; phases 1, 2 and 3 do",
            )
            for objects in (OBJECTS, HISTORY)
        ),
        *(
            (
                {**objects, "alerting": {"alertmanagers": ["http://alertmanager.monitoring.svc:9093"]}},
                "alerting.alertmanagers: set: phase 4 does not use it; phases 1, 2 and 3 do",
            )
            for objects in (OBJECTS, HISTORY)
        ),
    ],
)
def test_what_a_phase_does_not_use_is_told(settings: dict[str, Any], warning: str) -> None:
    (found,) = about_use(settings)
    assert re.match(warning, found)


EXTERNAL_KAFKA = {"mode": "external", "bootstrapServers": ["kafka.example.com:9092"]}
OTHERS_TOPICS = {**EXTERNAL_KAFKA, "createTopics": False, "partitions": 6}
EXTERNAL_POSTGRES = {"mode": "external", "host": "db.example.com", "passwordSecret": "grafana-database"}


@pytest.mark.parametrize(
    ("settings", "useless", "warning"),
    [
        (
            {"phase": 2, "kafka": EXTERNAL_KAFKA},
            {"sizing": {"kafka": {"volume": "90GiB"}}},
            "sizing.kafka: set: kafka.mode: external does not use it",
        ),
        (
            {**CLUSTER, "kafka": EXTERNAL_KAFKA},
            {"sizing": {"kafka": {"volume": "90GiB"}, "preset": "small"}},
            "sizing.kafka: set: kafka.mode: external does not use it",
        ),
        *(
            (
                {"phase": 2, "kafka": OTHERS_TOPICS},
                {"kafka": {**OTHERS_TOPICS, key: value}},
                f"kafka.{key}: set: kafka.createTopics: false does not use it",
            )
            for key, value in (("minInSyncReplicas", 2), ("retentionSize", "20GiB"))
        ),
        *(
            (
                {"phase": 2, "sampling": {"mode": mode}},
                {"sampling": {"mode": mode, key: value}},
                f"sampling.{key}: set: (only )?sampling.mode: [a-z]+ (does not use|uses) it",
            )
            for mode, key, value in (
                ("head", "slowerThan", "3s"),
                ("none", "decisionWait", "20s"),
                ("none", "maxTraces", 5),
                ("none", "keepPercent", 20),
            )
        ),
        (
            {"phase": 2, "kafka": {}},
            {"kafka": {"security": {"tls": False}}},
            "kafka.security.tls: set: only kafka.mode: external uses it",
        ),
        (
            {**CLUSTER, "kafka": {"mode": "strimzi"}},
            {"images": {"overrides": {"kafka": "registry.example.com/kafka:4.3.1"}}},
            "images.overrides.kafka: set: kafka.mode: strimzi does not use it",
        ),
        *(
            (
                CLUSTER,
                {"autoscaling": {key: value}},
                f"autoscaling.{key}: set: only autoscaling.lag: keda uses",
            )
            for key, value in (("lagThreshold", 500), ("kedaNamespace", "scaling"))
        ),
        (
            {**CLUSTER, "autoscaling": {"lag": "keda"}},
            {"autoscaling": {"lag": "keda", "processor": {"cpuPercent": 80}}},
            "autoscaling.processor.cpuPercent: set: autoscaling.lag: keda does not use it",
        ),
        (
            CLUSTER,
            {"kubernetes": {**CLUSTER["kubernetes"], "monitoringNamespace": "prometheus"}},
            "kubernetes.monitoringNamespace: set: only kubernetes.monitoring: prometheus-operator uses it",
        ),
        (
            OBJECTS,
            {"objectStorage": {**OBJECTS["objectStorage"], "aws": {"backupsKept": "60d"}}},
            "objectStorage.aws: set: only objectStorage.provider: aws uses it",
        ),
        (
            ON_AWS,
            {"objectStorage": {**ON_AWS["objectStorage"], "s3": {"pathStyle": False}}},
            "objectStorage.s3: set: only objectStorage.provider: s3 uses it",
        ),
        (
            OBJECTS,
            {"alerting": {"smtp": {"host": "mail.example.com", "fromAddress": "ops@example.com"}}},
            "alerting.smtp: set: only a contact point of type email uses it",
        ),
        *(
            (
                {**OBJECTS, "postgres": EXTERNAL_POSTGRES},
                {"postgres": {**EXTERNAL_POSTGRES, key: "3GiB"}},
                f"postgres.{key}: set: postgres.mode: external does not use it",
            )
            for key in ("memory", "volume", "backupsVolume")
        ),
    ],
)
def test_what_another_setting_makes_useless_is_told(
    settings: dict[str, Any], useless: dict[str, Any], warning: str
) -> None:
    assert about_use(settings) == []
    (found,) = about_use({**settings, **useless})
    assert re.match(warning, found)


def test_a_share_of_traces_is_of_use_to_head_sampling() -> None:
    assert about_use({"phase": 2, "sampling": {"mode": "head", "keepPercent": 20}}) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_told_of_the_stacks_of_the_repository(path: Path) -> None:
    config = yaml.safe_load(path.read_text(encoding="utf-8"))["config"]
    assert about_use({key.removeprefix("otel-stack:"): value for key, value in config.items()}) == []


@pytest.mark.parametrize("name", EVERY)
def test_nothing_is_told_of_what_is_used(name: str) -> None:
    assert about_use(EVERY[name]) == []


def test_the_stores_of_phase_3_have_their_sizes_while_phase_4_reads_them() -> None:
    sizes = {"sizing": {"loki": {"memory": "2GiB"}}, "retention": {"metricsSize": "50GB"}}
    assert about_use({**HISTORY, **sizes}) == []


@pytest.mark.parametrize(
    "settings",
    [
        {**OBJECTS, "sizing": {"prometheus": {"volume": "20GiB"}}},
        {**OBJECTS, "retention": {"metrics": "400d", "metricsSize": "40GB"}},
        {**CLUSTER, "query": {"lokiPort": 9090}},
        {**OBJECTS, "ingest": {"grpcPort": 4317, "httpPort": 4317}},
    ],
    ids=["agent's disk", "retention in the bucket", "no ports of a host", "no OTLP ports of a host"],
)
def test_limits_of_one_phase_do_not_refuse_another(settings: dict[str, Any]) -> None:
    assert Settings.load(settings)
