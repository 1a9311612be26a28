"""A Kafka that somebody else runs: a real broker with TLS by a private authority, logins, and rights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from components.composition.consumer_groups import stack_groups
from components.kafka.topics import DEAD_LETTERS, SOURCES
from ops.errors import OpsError
from ops.kafka.lag import read_lag
from ops.kafka.records import Position, read_record
from ops.kafka.tools import PROGRAM, ContainerTools, Tools
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
from tests.support.waiting import until

TOPICS = {*SOURCES.values(), DEAD_LETTERS}


def demand_tools(own_stack: Stack) -> Tools:
    """Demand that Kafka's tools tell what is unread, and read a record; give them."""
    loaded = load_stack(own_stack.name, own_stack.folder)
    tools, groups = ContainerTools(loaded), stack_groups(loaded.settings)
    assert {one.topic for one in read_lag(tools, groups).partitions if one.reader} == set(groups.values())
    assert read_record(tools, Position.parse("otlp-logs/0/0")).value
    return tools


def find_topics(site: Site) -> None:
    """Wait until the program that looks for the topics has found all of them."""

    def found() -> bool:
        return bool(site.container(PROGRAM).attrs["State"]["Health"]["Status"] == "healthy")

    until("all topics to be found", found, seconds=180)


def create(kafka: ExternalKafka, topic: str) -> None:
    """Create a topic as somebody else would."""
    kafka.run("kafka-topics", "--create", "--topic", topic, "--partitions=6", "--replication-factor=1")


def demand_missing_topic_is_named(site: Site, kafka: ExternalKafka) -> None:
    """Demand that a topic which somebody else has still to make is named, and found once it is there."""
    kafka.run("kafka-topics", "--delete", "--topic", DEAD_LETTERS)
    site.container(PROGRAM).restart(timeout=30)
    missing = f"missing, or hidden from this user: {DEAD_LETTERS};".encode()
    until("the topic to be named", lambda: missing in site.container(PROGRAM).logs(), seconds=120)
    create(kafka, DEAD_LETTERS)
    find_topics(site)


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
    assert {one.name for one in read_topics(demand_tools(own_stack))} >= TOPICS


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_topics_that_somebody_else_makes_are_used_as_they_are(
    own_stack: Stack, kafka: ExternalKafka, site: Site, load: Load, report: Report
) -> None:
    own_stack.destroy()
    for topic in sorted(TOPICS):
        if topic in kafka.topics():
            kafka.run("kafka-topics", "--delete", "--topic", topic)
        create(kafka, topic)
    kafka.allow(USES)
    made_elsewhere = {**kafka.settings, "kafka": {**kafka.settings["kafka"], "createTopics": False}}
    own_stack.up(made_elsewhere)
    find_topics(site)
    with running(load):
        flow(load)
    report(load, demand_nothing_lost(site, load))
    tools = demand_tools(own_stack)
    with pytest.raises(OpsError, match="authorization failed"):
        read_topics(tools)
    kafka.allow([*USES, "DescribeConfigs"])

    def described() -> bool:
        return {one.name for one in read_topics(tools)} >= TOPICS

    until("the topics to be described", described, seconds=60, forgive=(OpsError,))
    demand_missing_topic_is_named(site, kafka)
