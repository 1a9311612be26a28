"""Fetches Kafka's jars from the Maven registry."""

from __future__ import annotations

from pathlib import Path

from tests.lab import store
from tests.lab.programs import KAFKA_VERSION, kafka_path
from tests.lab.progress import run, step

_LOG4J_VERSION = "2.25.1"
_ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
    ("org.apache.kafka", "kafka-tools", KAFKA_VERSION),
    ("org.apache.logging.log4j", "log4j-core", _LOG4J_VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", _LOG4J_VERSION),
)


def pom() -> str:
    """A Maven project that depends on Kafka, its tools and the logging library of its distribution."""
    dependencies = "".join(
        f"    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version></dependency>\n"
        for group, artifact, version in _ARTIFACTS
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0">\n'
        "  <modelVersion>4.0.0</modelVersion>\n"
        "  <groupId>otel-stack-lab</groupId><artifactId>kafka</artifactId><version>1</version>\n"
        f"  <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )


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
        store.fill(kafka_path(), pom(), lambda out: _copy_jars(out, log))


def _copy_jars(out: Path, log: Path) -> None:
    (out / "pom.xml").write_text(pom())
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={out / 'libs'}", "-DincludeScope=runtime"]
    run(["mvn", "--batch-mode", "--no-transfer-progress", *goal], log, cwd=out)
