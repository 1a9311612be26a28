"""What is drilled: its addresses, what its stores hold of a load, and how its programs are hurt."""

from __future__ import annotations

import os
import shlex
import signal as signals
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import docker
import httpx
from docker.models.containers import Container

from ops.kafka.tools import command
from tests.support.containers import run
from tests.support.numbered import METRIC, SPANS, Load, kind_of, trace_id
from tests.support.waiting import until

PAGE = 5000
"""Log records that Loki returns at once, at most."""
RESTART_SECONDS = 60.0


class Stores(Protocol):
    """A running stack, wherever it runs: its stores and its Kafka can be queried."""

    @property
    def loki(self) -> int:
        """Loki's port."""

    @property
    def prometheus(self) -> int:
        """Prometheus's port."""

    @property
    def jaeger(self) -> int:
        """Port of Jaeger's queries."""

    def get(self, port: int, path: str, **parameters: str | int) -> Any:
        """Ask the HTTP API of the store that has a port."""

    def run(self, name: str, *command: str) -> str:
        """Run a command in a program's container.

        Raises:
            AssertionError: it failed.
        """

    def traces(self, load: Load, kind: str) -> Iterator[tuple[str, set[str]]]:
        """Ids of the traces of a kind that the store has, each with those of its spans."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A running stack of phase 2.

    Attributes:
        client: API of its Docker Engine.
        address: where its ports are published.
        grpc, http, loki, prometheus, jaeger, haproxy: those ports.
    """

    client: docker.DockerClient
    address: str
    grpc: int = 4317
    http: int = 4318
    loki: int = 3100
    prometheus: int = 9090
    jaeger: int = 16686
    haproxy: int = 8404

    @property
    def target(self) -> str:
        """``host:port`` of OTLP over gRPC."""
        return f"{self.address}:{self.grpc}"

    @property
    def web_target(self) -> str:
        """Address of OTLP over HTTP."""
        return f"http://{self.address}:{self.http}"

    def get(self, port: int, path: str, **parameters: str | int) -> Any:
        """Ask a store's HTTP API."""
        answer = httpx.get(f"http://{self.address}:{port}{path}", params=parameters, timeout=30)
        return answer.raise_for_status().json()

    def traces(self, load: Load, kind: str) -> Iterator[tuple[str, set[str]]]:
        """See ``Stores``."""
        return jaeger_traces(self, load, kind)

    def container(self, name: str) -> Container:
        """Give a container as it is now."""
        return self.client.containers.get(name)

    def kill(self, name: str) -> None:
        """End a program with SIGKILL from outside its container: Docker restarts it as after a crash."""
        container = self.container(name)
        before = container.attrs["State"]["StartedAt"]
        os.kill(container.attrs["State"]["Pid"], signals.SIGKILL)

        def is_back() -> bool:
            state = self.container(name).attrs["State"]
            return bool(state["Running"]) and state["StartedAt"] != before

        until(f"{name} to be restarted", is_back, seconds=RESTART_SECONDS)

    def start(self, name: str) -> None:
        """Start a container that was stopped, and wait until it is healthy."""
        self.container(name).start()
        self.await_health(name)

    def await_health(self, name: str, seconds: float = 120) -> None:
        """Wait until a program that has a health check passes it."""
        until(
            f"{name} to be healthy",
            lambda: self.container(name).attrs["State"].get("Health", {}).get("Status") == "healthy",
            seconds=seconds,
        )

    def keep_logs(self, folder: Path) -> None:
        """Write the log of every container into a folder."""
        for container in self.client.containers.list(all=True):
            (folder / f"{container.name}.log").write_bytes(container.logs(timestamps=True))

    def run(self, name: str, *command: str) -> str:
        """Run a command in a container.

        Raises:
            AssertionError: it failed.
        """
        return run(self.container(name), *command)


def logs_of(site: Stores, load: Load) -> Counter[int]:
    """How often Loki has each numbered log record."""
    found: Counter[int] = Counter()
    start = int((load.started - 60) * 1e9)
    end = int((time.time() + 60) * 1e9)
    seen: set[tuple[str, str]] = set()
    while True:
        page = site.get(
            site.loki,
            "/loki/api/v1/query_range",
            query=f'{{service_name="{load.service}"}}',
            start=start,
            end=end,
            limit=PAGE,
            direction="forward",
        )
        entries = [entry for stream in page["data"]["result"] for entry in stream["values"]]
        last = max((int(stamp) for stamp, *_ in entries), default=start)
        fresh = [(stamp, line) for stamp, line, *_ in entries if (stamp, line) not in seen]
        found.update(int(line.split()[0]) for _, line in fresh)
        if len(entries) < PAGE:
            return found
        seen = {(stamp, line) for stamp, line, *_ in entries if int(stamp) == last}
        start = last


def samples_of(site: Stores, load: Load) -> Counter[int]:
    """How often Prometheus has each numbered sample; of two equal ones it keeps one."""
    seconds = int(time.time() - load.started + 120)
    query = f'{METRIC}{{service_name="{load.service}"}}[{seconds}s]'
    answer = site.get(site.prometheus, "/api/v1/query", query=query)
    return Counter(int(value) for series in answer["data"]["result"] for _, value in series["values"])


def jaeger_traces(site: Stores, load: Load, kind: str) -> Iterator[tuple[str, set[str]]]:
    """Ids of the traces of a kind that Jaeger has, each with those of its spans."""
    start, step = load.started - 60, 20
    while start < time.time():
        answer = site.get(
            site.jaeger,
            "/api/traces",
            service=load.service,
            operation=kind,
            start=int(start * 1e6),
            end=int((start + step) * 1e6),
            limit=1500,
        )
        for trace in answer["data"]:
            yield trace["traceID"], {span["spanID"] for span in trace["spans"]}
        start += step


def has_wrong_trace(site: Stores, load: Load, number: int) -> bool:
    """Tell whether the store has a trace whose spans are named like those with errors."""
    wanted = trace_id(load.run, number).hex()
    return any(found.zfill(len(wanted)) == wanted for found, _ in site.traces(load, "error"))


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a store has of a load's records of one signal.

    Attributes:
        acknowledged: records for which the client got its OK.
        missing: numbers of those that the store does not have.
        duplicates: surplus copies that the store has.
        partly: traces of which the store has only some spans.
    """

    acknowledged: int
    missing: list[int]
    duplicates: int = 0
    partly: int = 0


def compare(load: Load, signal: str, found: Counter[int]) -> Found:
    """Compare what a store has with what was acknowledged."""
    acknowledged = load.tallies[signal].acknowledged.keys()
    missing = sorted(acknowledged - found.keys())
    return Found(acknowledged=len(acknowledged), missing=missing, duplicates=found.total() - len(found))


def kept_traces(site: Stores, load: Load, kinds: tuple[str, ...] = ("error", "slow")) -> Found:
    """Compare the complete traces of some kinds in Jaeger with those acknowledged."""
    stored: dict[str, set[str]] = {}
    for kind in kinds:
        for identity, spans in site.traces(load, kind):
            stored.setdefault(identity, set()).update(spans)
    expected = [number for number in load.tallies["traces"].acknowledged if kind_of(number) in kinds]
    missing = [
        number
        for number in expected
        if len(stored.get(trace_id(load.run, number).hex().lstrip("0"), ()))
        + len(stored.get(trace_id(load.run, number).hex(), ()))
        < SPANS
    ]
    partly = sum(len(spans) < SPANS for spans in stored.values())
    return Found(acknowledged=len(expected), missing=sorted(missing), partly=partly)


def await_all(site: Stores, load: Load, *, seconds: float = 180) -> dict[str, Found]:
    """Wait until the stores have all that was acknowledged, or the deadline; give what they have.

    Raises:
        AssertionError: logs or metrics are missing; the message has how many.
    """

    def logs() -> Found:
        return compare(load, "logs", logs_of(site, load))

    def metrics() -> Found:
        return compare(load, "metrics", samples_of(site, load))

    found: dict[str, Found] = {}
    deadline = time.monotonic() + seconds
    for signal, ask in (("logs", logs), ("metrics", metrics), ("traces", lambda: kept_traces(site, load))):

        def whole(signal: str = signal, ask: Any = ask) -> bool:
            found[signal] = ask()
            return not found[signal].missing or time.monotonic() > deadline

        until(f"{signal} in their store", whole, seconds=seconds + 60, pause=2, forgive=(httpx.HTTPError,))
    return found


def _groups(site: Stores) -> Iterator[list[str]]:
    """Columns of each partition of a signal's topic as its consumer group has it."""
    listing = site.run("kafka-topics", *command("kafka-consumer-groups", "--describe", "--all-groups"))
    for line in listing.splitlines():
        columns = line.split()
        if len(columns) > 5 and columns[1].startswith("otlp-"):
            yield columns


def lag_of(site: Stores) -> Counter[str]:
    """Records of each topic that its consumer group has not marked as done."""
    lag: Counter[str] = Counter()
    for _, topic, _, read, end, *_ in _groups(site):
        lag[topic] += int(end) - (int(read) if read != "-" else 0)
    return lag


def readers_of(site: Stores) -> dict[str, dict[str, set[str]]]:
    """Addresses from which each topic is read, by consumer group; an empty one: nobody reads a partition."""
    found: dict[str, dict[str, set[str]]] = {}
    for columns in _groups(site):
        host = columns[7] if len(columns) > 7 else "-"
        groups = found.setdefault(columns[1], {})
        groups.setdefault(columns[0], set()).add(host.strip("/-"))
    return found


DEAD_LETTERS = "otlp-dead-letters"


def end_offset(site: Stores, topic: str) -> int:
    """Count the records that a topic has ever had."""
    listing = site.run("kafka-topics", *command("kafka-get-offsets", "--topic", topic))
    return sum(int(line.rsplit(":", 1)[1]) for line in listing.split() if line.startswith(f"{topic}:"))


def dead_letters(site: Stores, first: int) -> list[str]:
    """Give the dead letters from an offset on."""
    count = end_offset(site, DEAD_LETTERS) - first
    if count <= 0:
        return []
    place = ("--topic", DEAD_LETTERS, "--partition", "0", "--offset", str(first))
    bounds = ("--max-messages", str(count), "--timeout-ms", "20000")
    text = site.run("kafka-topics", *command("kafka-console-consumer", *place, *bounds))
    return [line for line in text.splitlines() if line.startswith("{")]


def produce(site: Stores, topic: str, text: str, *, copies: int = 1) -> None:
    """Write identical records of plain text into a topic."""
    producer = shlex.join(command("kafka-console-producer", "--topic", topic))
    site.run("kafka-topics", "bash", "-c", f"for _ in $(seq {copies}); do echo '{text}'; done | {producer}")
