"""Every configuration, as it stands under ``configs/`` and as it is rendered, is taken by its own program."""

from __future__ import annotations

from typing import Any

import pytest

from components.documents import CONFIGS
from tests.support.checkers import Checker, Configured, configured
from tests.support.docker_engine import Engine
from tests.support.program import run_program
from tests.support.variants import VARIANTS


def as_it_stands(
    program: str, folder: str, directory: str, pattern: str = "**/*", **others: Any
) -> Configured:
    root = CONFIGS / folder
    files = {str(path.relative_to(root)): path.read_text() for path in root.glob(pattern) if path.is_file()}
    return Configured(program=program, directory=directory, files=files, **others)


def collector(folder: str, file: str) -> Configured:
    return as_it_stands("collector", folder, "/etc/otelcol", command=[f"--config=/etc/otelcol/{file}"])


GRAFANA_SECRETS = ["GF_SECURITY_ADMIN_PASSWORD=of-this-test", "GF_SECURITY_SECRET_KEY=of-this-test"]
AS_THEY_STAND = [
    collector("otel-collector", "collector.yaml"),
    collector("otel-gateway", "gateway.yaml"),
    collector("otel-processor", "processor.yaml"),
    as_it_stands("jaeger", "jaeger", "/etc/jaeger", command=["--config", "/etc/jaeger/jaeger.yaml"]),
    as_it_stands("prometheus", "prometheus", "/etc/prometheus"),
    as_it_stands("loki", "loki", "/etc/loki", command=["-config.file=/etc/loki/loki.yaml"]),
    as_it_stands("grafana", "grafana", "/etc/grafana", environment=GRAFANA_SECRETS),
    as_it_stands("haproxy", "haproxy", "/usr/local/etc/haproxy", environment=["MAX_REQUEST_BYTES=4194304"]),
    as_it_stands("kafka", "kafka", "/etc/kafka-topics", "*.sh"),
    as_it_stands("kafka", "kafka", "/mnt/shared/config", "*.properties"),
]


@pytest.fixture(scope="module")
def checker(docker_engine: Engine) -> Checker:
    return Checker(engine=docker_engine)


def require_accepted(checker: Checker, found: Configured) -> None:
    verdict = checker.check(found)
    assert verdict.accepted, f"{found}:\n{verdict.said}"


@pytest.mark.parametrize("found", AS_THEY_STAND, ids=lambda found: f"{found.program}-{min(found.files)}")
def test_files_as_they_stand(checker: Checker, found: Configured) -> None:
    require_accepted(checker, found)


def test_no_file_is_left_out() -> None:
    checked = {text for found in AS_THEY_STAND for text in found.files.values()}
    files = [path for path in CONFIGS.rglob("*") if path.is_file()]
    assert [path for path in files if path.read_text() not in checked] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_rendered_files(checker: Checker, variant: str) -> None:
    settings = {key: value for key, value in VARIANTS[variant].items() if key != "images"}
    programs = list(configured(run_program(settings)))
    assert programs
    for found in programs:
        require_accepted(checker, found)


@pytest.mark.parametrize(
    ("good", "old", "new", "complaint"),
    [
        (AS_THEY_STAND[0], "receivers: [otlp]", "receivers: [nosuch]", "nosuch"),
        (AS_THEY_STAND[3], "trace_storage: main", "trace_storages: main", "trace_storages"),
        (AS_THEY_STAND[4], "scrape_interval", "scrape_intervall", "scrape_intervall"),
        (AS_THEY_STAND[5], "retention_period", "retention_periodd", "retention_periodd"),
    ],
    ids=["collector", "jaeger", "prometheus", "loki"],
)
def test_checkers_refuse_what_is_wrong(
    checker: Checker, good: Configured, old: str, new: str, complaint: str
) -> None:
    """Otherwise the tests above would prove nothing."""
    files = {path: text.replace(old, new) for path, text in good.files.items()}
    bad = Configured(program=good.program, directory=good.directory, files=files, command=good.command)
    verdict = checker.check(bad)
    assert not verdict.accepted
    assert complaint in verdict.said
