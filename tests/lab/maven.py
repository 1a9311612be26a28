"""Fetches Java programs from the Maven registry, Kafka first of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.lab import store
from tests.lab.programs import KAFKA_VERSION, kafka_path
from tests.lab.progress import run, step

_LOG4J_VERSION = "2.25.1"
Artifact = tuple[str, str, str]
"""Group, name, version."""
_ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
    ("org.apache.kafka", "kafka-tools", KAFKA_VERSION),
    ("org.apache.logging.log4j", "log4j-core", _LOG4J_VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", _LOG4J_VERSION),
)


def pom() -> str:
    """A Maven project that depends on Kafka, its tools and the logging library of its distribution."""
    return _project("kafka", _ARTIFACTS)


def is_fetched() -> bool:
    """True when the jars of these versions are in the cache."""
    return store.is_done(kafka_path(), pom())


def fetch_kafka() -> None:
    """Put Kafka's jars into ``libs/`` of its folder in the cache.

    Raises:
        LabError: when Maven is missing or fails.
    """
    log = store.log_file("kafka")
    log.write_text("")
    with step(f"fetch kafka {KAFKA_VERSION}"):
        store.fill(kafka_path(), pom(), lambda out: _copy_kafka(out, log))


def _copy_kafka(out: Path, log: Path) -> None:
    copy_jars("kafka", _ARTIFACTS, out, log)


def copy_jars(name: str, artifacts: Sequence[Artifact], out: Path, log: Path) -> Path:
    """Fetch these artifacts and all they need into ``libs/`` of a folder; returns it.

    Raises:
        LabError: when Maven is missing or fails.
    """
    (out / "pom.xml").write_text(_project(name, artifacts))
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={out / 'libs'}", "-DincludeScope=runtime"]
    run(["mvn", "--batch-mode", "--no-transfer-progress", *goal], log, cwd=out)
    return out / "libs"


def _project(name: str, artifacts: Sequence[Artifact]) -> str:
    dependencies = "".join(
        f"    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version></dependency>\n"
        for group, artifact, version in artifacts
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0">\n'
        "  <modelVersion>4.0.0</modelVersion>\n"
        f"  <groupId>otel-stack-lab</groupId><artifactId>{name}</artifactId><version>1</version>\n"
        f"  <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
