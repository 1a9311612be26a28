"""What previews and updates cost with one, three and ten environments on a hundred simulated nodes.

Each environment is a stack with a state and a namespace of its own, preset ``large``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.conftest import Note
from tests.support.cluster import Cluster
from tests.support.effort import Effort, effort
from tests.support.simulated import all_placed, brought_up, expected_pods, on_simulated_nodes, simulated_nodes
from tests.support.stack import Stack

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

NODES = 100
MEASURED = (1, 3, 10)
"""With so many environments up, the last one is previewed and changed."""
NAMESPACE = "otel-stack-env"


@pytest.fixture
def nodes(kubernetes: Cluster) -> Iterator[None]:
    with simulated_nodes(kubernetes, NODES):
        yield


def environment(kubernetes: Cluster, number: int, folder: Path) -> Stack:
    """Give one of the environments, not yet up."""
    name = f"{NAMESPACE}-{number}"
    section = on_simulated_nodes(kubernetes, name)
    config = {"phase": 3, "environment": name, "sizing": {"preset": "large"}, "kubernetes": section}
    return Stack(name=name, folder=folder / name, config=config)


@pytest.mark.usefixtures("nodes")
def test_previews_and_updates_stay_as_fast_with_more_environments(
    kubernetes: Cluster, tmp_path: Path, note: Note
) -> None:
    seconds: dict[int, float] = {}

    @contextmanager
    def measured(running: int, what: str) -> Iterator[Effort]:
        with effort(kubernetes) as spent:
            yield spent
        note({"environments": running, "what": what, **asdict(spent)})

    with ExitStack() as up:
        for number in range(1, max(MEASURED) + 1):
            stack = environment(kubernetes, number, tmp_path)
            if number == 1:
                with measured(0, "preview of the first"):
                    stack.preview()
            with measured(number - 1, "up of one more"):
                up.enter_context(brought_up(kubernetes, stack, stack.name))
            all_placed(kubernetes, stack.name, expected_pods(kubernetes, stack.name))
            if number not in MEASURED:
                continue
            with measured(number, "preview without change") as spent:
                stack.preview("--expect-no-changes")
            seconds[number] = spent.seconds
            with measured(number, "up of one changed setting"):
                stack.up({"ingest": {"maxConcurrentStreams": 101}})
    least, most = min(MEASURED), max(MEASURED)
    assert seconds[most] < 3 * seconds[least] + 10, seconds
