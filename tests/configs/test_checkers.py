"""Every configuration, as it stands under ``configs/`` and as it is rendered, is taken by its own program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.values.documents import CONFIGS
from tests.support.checkers import Checker, Configured, configured
from tests.support.docker_engine import Engine
from tests.support.program import run_program
from tests.support.variants import VARIANTS


def files_of(folder: str, pattern: str = "**/*") -> dict[str, str]:
    root = CONFIGS / folder
    return {str(path.relative_to(root)): path.read_text() for path in root.glob(pattern) if path.is_file()}


def as_it_stands(program: str, directory: str, pattern: str = "**/*", **others: Any) -> Configured:
    return Configured(program=program, directory=directory, files=files_of(program, pattern), **others)


def collector(folder: str, file: str) -> Configured:
    command = [f"--config=/etc/otelcol/{file}"]
    return Configured(program="collector", directory="/etc/otelcol", files=files_of(folder), command=command)


READ_BY_OPS = {"prices.yaml"}
"""No program of the stack reads these."""

CHECKED_ELSEWHERE = {"kafka/brokers/log4j2.yaml"}
"""Log4j goes on with whatever it is given: a running broker is asked what it said (tests/e2e/phase2)."""

GRAFANA_SECRETS = ["GF_SECURITY_ADMIN_PASSWORD=of-this-test", "GF_SECURITY_SECRET_KEY=of-this-test"]
AS_THEY_STAND = {
    "otel-collector": collector("otel-collector", "collector.yaml"),
    "otel-gateway": collector("otel-gateway", "gateway.yaml"),
    "otel-processor": collector("otel-processor", "processor.yaml"),
    "otel-copier": collector("otel-copier", "copier.yaml"),
    "jaeger": as_it_stands("jaeger", "/etc/jaeger", command=["--config", "/etc/jaeger/jaeger.yaml"]),
    "prometheus": as_it_stands("prometheus", "/etc/prometheus"),
    "loki": as_it_stands("loki", "/etc/loki", command=["-config.file=/etc/loki/loki.yaml"]),
    "prometheus, agent": as_it_stands("prometheus", "/etc/prometheus", command=["--agent"]),
    "loki, cluster": as_it_stands("loki", "/etc/loki", command=["-config.file=/etc/loki/loki-cluster.yaml"]),
    "mimir": as_it_stands("mimir", "/etc/mimir", command=["-config.file=/etc/mimir/mimir.yaml"]),
    "tempo": as_it_stands("tempo", "/etc/tempo", command=["-config.file=/etc/tempo/tempo.yaml"]),
    "postgres, server": as_it_stands("postgres", "/etc/postgresql", "*.conf"),
    "postgres, scripts": as_it_stands("postgres", "/etc/postgres-backup", "*.sh"),
    "grafana-cluster": Configured(
        program="grafana",
        directory="/etc/grafana",
        files=files_of("grafana-cluster"),
        environment=[
            *GRAFANA_SECRETS,
            "GF_DATABASE_PASSWORD=of-this-test",
            "GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET=of-this-test",
            "GF_SMTP_PASSWORD=of-this-test",
        ],
    ),
    "grafana": as_it_stands("grafana", "/etc/grafana", environment=GRAFANA_SECRETS),
    "haproxy": as_it_stands(
        "haproxy",
        "/usr/local/etc/haproxy",
        "haproxy.cfg",
        environment=["MAX_REQUEST_BYTES=4194304", "MAX_CONNECTIONS=2792"],
    ),
    "haproxy, queries": as_it_stands(
        "haproxy",
        "/usr/local/etc/haproxy",
        "query-gateway.*",
        environment=[f"{store}=127.0.0.1:1" for store in ("TEMPO", "LOKI", "MIMIR", "ALERTMANAGER")],
    ),
    "kafka, topics": as_it_stands("kafka", "/etc/kafka-topics", "*.sh"),
    "kafka, scripts of brokers": as_it_stands("kafka", "/mnt/shared/config", "brokers/*.sh"),
    "otlp": Configured(program="kafka", directory="/etc/kafka-topics", files=files_of("otlp")),
    "kafka, broker": as_it_stands("kafka", "/mnt/shared/config", "*.properties"),
}
"""Folder under ``configs/`` -> its files, for the program that reads them."""


@pytest.fixture(scope="module")
def checker(docker_engine: Engine) -> Checker:
    return Checker(engine=docker_engine)


@pytest.mark.parametrize("folder", AS_THEY_STAND)
def test_files_as_they_stand(checker: Checker, folder: str) -> None:
    checker.require_accepted([AS_THEY_STAND[folder]])


def test_no_file_is_left_out() -> None:
    checked = {f"{key.split(',')[0]}/{path}" for key, one in AS_THEY_STAND.items() for path in one.files}
    assert set(files_of(".")) - READ_BY_OPS - CHECKED_ELSEWHERE == checked


@pytest.mark.parametrize("variant", VARIANTS)
def test_rendered_files(checker: Checker, variant: str) -> None:
    settings = {key: value for key, value in VARIANTS[variant].items() if key != "images"}
    programs = list(configured(run_program(settings)))
    assert programs
    checker.require_accepted(programs)


@pytest.mark.parametrize(
    ("folder", "old", "new"),
    [
        ("otel-collector", "receivers: [otlp]", "receivers: [nosuch]"),
        ("jaeger", "trace_storage:", "trace_storages:"),
        ("prometheus", "scrape_interval:", "scrape_intervals:"),
        ("loki", "retention_period:", "retention_periods:"),
        ("loki, cluster", "replication_factor:", "replication_factors:"),
        ("mimir", "multitenancy_enabled:", "multitenancy_enable:"),
        ("tempo", "block_retention:", "block_retentions:"),
        ("postgres, server", "shared_buffers", "shared_buffer"),
        ("haproxy", "option httpchk", "option httpcheck"),
        ("haproxy, queries", "disable-l7-retry", "disable-l7-retries"),
    ],
)
def test_checkers_refuse_what_is_wrong(checker: Checker, folder: str, old: str, new: str) -> None:
    """Otherwise the tests above would prove nothing."""
    good = AS_THEY_STAND[folder]
    bad = replace(good, files={path: text.replace(old, new) for path, text in good.files.items()})
    verdict = checker.check(bad)
    assert (bad != good, verdict.accepted) == (True, False)
    assert new.rsplit(maxsplit=1)[-1].strip(":[]") in verdict.said
