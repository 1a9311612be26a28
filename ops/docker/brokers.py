"""Kafka's brokers on a Docker Engine, which need each other to stop and to be replaced well."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from docker.errors import NotFound

from components.kafka_buffer import STOP_GRACE
from components.sections.phase_numbers import WITH_KAFKA
from components.settings import Settings
from ops.docker.engine import Engine
from ops.docker.readings import state_of
from ops.finding import Finding

BROKER = re.compile(r"kafka-\d+")


def brokers_of(programs: Iterable[str]) -> list[str]:
    """Give those programs of a stack that are brokers."""
    return [name for name in programs if BROKER.fullmatch(name)]


def stop_together(engine: Engine, names: Sequence[str]) -> None:
    """Stop brokers at once: one that is alone is not allowed to, and is killed after a minute."""

    def stop(name: str) -> None:
        try:
            engine.client.containers.get(name).stop(timeout=STOP_GRACE.seconds)
        except NotFound:
            return

    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        list(pool.map(stop, names))


def check_brokers(engine: Engine, settings: Settings) -> Iterator[Finding]:
    """Is every broker in sync? An update replaces others without asking for that."""
    if settings.phase < WITH_KAFKA or settings.kafka.mode != "builtin":
        return
    names = [f"kafka-{number}" for number in range(1, settings.buffer.brokers + 1)]
    found = {name: _status(engine, name) for name in names}
    behind = sorted(f"{name} is {status}" for name, status in found.items() if status != "healthy")
    if 0 < len(behind) < len(found):
        advice = (
            "a change of the brokers takes another one down all the same, and data is refused meanwhile: "
            "wait until all are healthy, unless this change is what they need"
        )
        yield Finding(name="Kafka", status="warn", found=", ".join(behind), advice=advice)


def _status(engine: Engine, name: str) -> str:
    state = state_of(engine.client, name)
    if state is None:
        return "not there"
    if state["Status"] != "running":
        return str(state["Status"])
    return str(state.get("Health", {}).get("Status", "running"))
