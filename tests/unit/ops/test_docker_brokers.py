"""Brokers on a Docker Engine before an update and before a removal."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Barrier
from typing import Any

import pytest
from docker.errors import NotFound

from components.settings import Settings
from ops.docker.brokers import brokers_of, check_brokers, stop_together
from ops.docker.engine import Engine

THREE = Settings.load({"phase": 2, "kafka": {"brokers": 3}})
HEALTHY: Mapping[str, Any] = {"Status": "running", "Health": {"Status": "healthy"}}
BEHIND: Mapping[str, Any] = {"Status": "running", "Health": {"Status": "unhealthy"}}
STOPPED: Mapping[str, Any] = {"Status": "exited", "Health": {"Status": "healthy"}}


class Played:
    """Containers of an engine; a stop returns once all have been asked."""

    def __init__(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        self.states = states
        self.all_asked = Barrier(max(len(states), 1))
        self.stopped: list[tuple[str, int]] = []
        self.containers = self

    def get(self, name: str) -> Any:
        if name not in self.states:
            raise NotFound(name)
        return Container(self, name)


class Container:
    def __init__(self, played: Played, name: str) -> None:
        self.played, self.name = played, name
        self.attrs = {"State": played.states[name]}

    def stop(self, timeout: int) -> None:
        self.played.all_asked.wait(timeout=10)
        self.played.stopped.append((self.name, timeout))


def engine(played: Any) -> Engine:
    return Engine(client=played, host="unix:///x", version="29", memory=2**40, data_root="/d", mine=True)


def test_brokers_are_told_from_what_is_called_alike() -> None:
    assert brokers_of(["kafka-1", "kafka-topics", "kafka-12", "otel-gateway-1"]) == ["kafka-1", "kafka-12"]


def test_brokers_are_asked_to_stop_together() -> None:
    played = Played({f"kafka-{number}": HEALTHY for number in (1, 2, 3)})
    stop_together(engine(played), ["kafka-1", "kafka-2", "kafka-3"])
    assert sorted(played.stopped) == [("kafka-1", 60), ("kafka-2", 60), ("kafka-3", 60)]


def test_one_that_somebody_removed_holds_up_no_other() -> None:
    played = Played({"kafka-1": HEALTHY})
    stop_together(engine(played), ["kafka-1", "kafka-2"])
    assert played.stopped == [("kafka-1", 60)]


@pytest.mark.parametrize(
    ("states", "told"),
    [
        pytest.param([HEALTHY, HEALTHY, HEALTHY], None, id="all healthy"),
        pytest.param([HEALTHY, BEHIND, HEALTHY], "kafka-2 is unhealthy", id="one behind"),
        pytest.param([HEALTHY, HEALTHY, STOPPED], "kafka-3 is exited", id="one stopped"),
        pytest.param([HEALTHY, HEALTHY], "kafka-3 is not there", id="one gone"),
        pytest.param([BEHIND, BEHIND, BEHIND], None, id="nothing to lose"),
        pytest.param([], None, id="before the first up"),
    ],
)
def test_a_broker_that_is_down_before_an_update_is_told(
    states: list[Mapping[str, Any]], told: str | None
) -> None:
    played = Played({f"kafka-{number}": state for number, state in enumerate(states, start=1)})
    findings = list(check_brokers(engine(played), THREE))
    assert [(one.status, one.found) for one in findings] == ([] if told is None else [("warn", told)])


def test_an_external_kafka_has_no_containers() -> None:
    external = Settings.load(
        {
            "phase": 2,
            "kafka": {"mode": "external", "bootstrapServers": ["broker:9092"], "security": {"tls": False}},
        }
    )
    assert list(check_brokers(engine(Played({})), external)) == []
