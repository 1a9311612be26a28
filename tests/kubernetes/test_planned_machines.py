"""The machines that a plan names hold every pod of the stack: on simulated ones, by the real scheduler."""

from __future__ import annotations

from typing import Any

import pytest

from components.cost.machines import USABLE
from components.cost.plan import plan
from components.sections.stack import RetentionSection
from ops.plan import PRICES, read_prices
from tests.support.cluster import Cluster
from tests.support.simulated import (
    all_placed,
    brought_up,
    expected_pods,
    on_simulated_nodes,
    simulated_nodes,
)
from tests.support.stack import Stack
from tests.support.variants_phase4 import OBJECT_VARIANTS

NAMESPACE = "otel-stack-planned"


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("phase", "rate"), [(3, 10_000), (4, 10_000), (4, 50_000)])
def test_every_pod_finds_room(
    kubernetes: Cluster, tmp_path_factory: pytest.TempPathFactory, phase: int, rate: int
) -> None:
    made = plan(rate, RetentionSection(), read_prices(PRICES), phase=phase)
    assert made.machine is not None
    config: dict[str, Any] = {
        "environment": "dev",
        "phase": phase,
        "sizing": {"eventsPerSecond": rate},
        "kubernetes": on_simulated_nodes(kubernetes, NAMESPACE),
    }
    if phase == 4:
        config["objectStorage"] = OBJECT_VARIANTS["phase4-small"]["objectStorage"]
    stack = Stack(name="planned", folder=tmp_path_factory.mktemp("planned") / "stack", config=config)
    room = {
        "cpu": f"{made.machine.cpus * USABLE * 1000:.0f}m",
        "memory": f"{made.machine.memory.mebibytes * USABLE:.0f}Mi",
    }
    with simulated_nodes(kubernetes, made.machines, **room), brought_up(kubernetes, stack, NAMESPACE):
        all_placed(kubernetes, NAMESPACE, expected_pods(kubernetes, NAMESPACE))
