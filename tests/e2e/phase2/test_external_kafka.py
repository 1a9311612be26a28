"""A Kafka that somebody else runs: a real broker with TLS by a private authority, logins, and rights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker.errors import NotFound

from components.kafka_topics import DEAD_LETTERS, SOURCES
from components.store_writers import stack_groups
from ops.kafka.lag import read_lag
from ops.kafka.records import Position, read_record
from ops.kafka.tools import ContainerTools
from ops.kafka.topics import read_topics
from ops.project import load_stack
from tests.e2e.conftest import Report
from tests.support.docker_engine import Engine
from tests.support.docker_site import Site
from tests.support.external_kafka import MAKES, NAME, USES, ExternalKafka
from tests.support.external_kafka_docker import running as somebodys_kafka
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.stack import Stack
from tests.support.steady import demand_nothing_lost, flow

TOPICS = {*SOURCES.values(), DEAD_LETTERS}


@pytest.fixture(scope="module")
def own_stack(stack: Stack | None) -> Iterator[Stack]:
    """The stack, down; afterwards with brokers of its own again."""
    if stack is None:
        pytest.skip("the stack that is up keeps its Kafka")
    stack.destroy()
    yield stack
    stack.destroy()
    stack.config.pop("kafkaPassword", None)
    stack.up({"kafka": {}})


@pytest.fixture(scope="module")
def kafka(docker_engine: Engine) -> Iterator[ExternalKafka]:
    """The broker."""
    with somebodys_kafka(docker_engine) as made:
        yield made


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_topics_are_made_and_nothing_is_lost_while_it_is_away(
    own_stack: Stack, kafka: ExternalKafka, site: Site, load: Load, report: Report
) -> None:
    kafka.allow([*USES, *MAKES])
    own_stack.up(kafka.settings)
    assert kafka.topics() == TOPICS
    with running(load):
        flow(load)
        site.container(NAME).restart(timeout=30)
        flow(load)
    report(load, demand_nothing_lost(site, load))
    loaded = load_stack(own_stack.name, own_stack.folder)
    tools, groups = ContainerTools(loaded), stack_groups(loaded.settings)
    assert {one.topic for one in read_lag(tools, groups) if one.reader} == set(groups.values())
    assert {one.name for one in read_topics(tools)} >= TOPICS
    assert read_record(tools, Position.parse("otlp-logs/0/0")).value


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_topics_that_somebody_else_makes_are_used_as_they_are(
    own_stack: Stack, kafka: ExternalKafka, site: Site, load: Load, report: Report
) -> None:
    own_stack.destroy()
    for topic in sorted(TOPICS):
        if topic in kafka.topics():
            kafka.run("kafka-topics", "--delete", "--topic", topic)
        kafka.run("kafka-topics", "--create", "--topic", topic, "--partitions=6", "--replication-factor=1")
    kafka.allow(USES)
    made_elsewhere = {**kafka.settings, "kafka": {**kafka.settings["kafka"], "createTopics": False}}
    own_stack.up(made_elsewhere)
    with pytest.raises(NotFound):
        site.container("kafka-topics")
    with running(load):
        flow(load)
    report(load, demand_nothing_lost(site, load))
