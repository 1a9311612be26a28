"""``make down`` and ``make up`` with other numbers of brokers and partitions."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ops.inventory import take_inventory
from tests.support.drills import KAFKA, Site
from tests.support.stack import Stack
from tests.support.steady import lag_gone


@pytest.fixture
def stopped(site: Site, stack: Stack | None) -> Iterator[Stack]:
    """The stack as ``make down`` leaves it, with nothing unread; afterwards it is made anew."""
    if stack is None:
        pytest.skip("changes a stack of the tests' own only")
    lag_gone(site)
    resources = json.loads(stack.export())["deployment"]["resources"]
    stack.destroy(*(f"--exclude={urn}" for urn in take_inventory(resources).kept_urns))
    yield stack
    stack.destroy()
    stack.up({"kafka": {}})


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_brokers_stay_and_partitions_may_grow(site: Site, stopped: Stack) -> None:
    refused = stopped.up({"kafka": {"brokers": 3}}, check=False)
    assert refused.status != 0
    assert "kafka.brokers: 3: this stack was made with 1" in refused.text
    stopped.up({"kafka": {"partitions": 12}})
    tool = "/opt/kafka/bin/kafka-topics.sh"
    described = site.run("kafka-topics", tool, *KAFKA, "--describe", "--topic", "otlp-traces")
    assert "PartitionCount: 12" in described
