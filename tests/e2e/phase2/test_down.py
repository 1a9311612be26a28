"""``make down`` and ``make up`` with other numbers of brokers and partitions, and back to phase 1."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ops.inventory import take_inventory
from ops.kafka.tools import command
from tests.e2e.conftest import Report
from tests.support.docker_site import Site
from tests.support.numbered import Load
from tests.support.numbered_sending import running
from tests.support.stack import Stack
from tests.support.steady import demand_nothing_lost, flow, lag_gone
from tests.support.stored import await_all


@pytest.fixture
def own(changeable: Stack) -> Iterator[Stack]:
    """The stack, which is rebuilt afterwards."""
    yield changeable
    changeable.destroy()
    changeable.up({"phase": 2, "kafka": {}})


def _down(site: Site, stack: Stack) -> None:
    """Do what ``make down`` does, with nothing unread."""
    lag_gone(site)
    resources = json.loads(stack.export())["deployment"]["resources"]
    stack.destroy(*(f"--exclude={urn}" for urn in take_inventory(resources).kept_urns))


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_brokers_stay_and_partitions_may_grow(site: Site, own: Stack) -> None:
    _down(site, own)
    own.up({"kafka": {"partitions": 12}})
    described = site.run("kafka-topics", *command("kafka-topics", "--describe", "--topic", "otlp-traces"))
    assert "PartitionCount: 12" in described
    _down(site, own)
    refused = own.up({"kafka": {"partitions": 12, "brokers": 3}}, check=False)
    assert refused.status != 0
    assert "kafka.brokers: 3: this stack was made with 1" in refused.text


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_back_to_phase_one_and_on_with_three_brokers(
    site: Site, own: Stack, load: Load, report: Report
) -> None:
    with running(load):
        flow(load)
    _down(site, own)
    own.up({"phase": 1})
    found = await_all(site, load)
    assert not any(one.missing for one in found.values()), found
    own.up({"phase": 2, "kafka": {"brokers": 3}})
    assert site.container("kafka-3").attrs["State"]["Running"]
    report(load, demand_nothing_lost(site, load))
