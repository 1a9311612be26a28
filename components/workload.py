"""One program to run, described once for every platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol
from urllib.parse import urlsplit

import pulumi

from components.autoscaling import Autoscaling
from components.images import Image
from components.publication import Publication
from components.values.quantities import Duration, Size, mebibytes
from components.values.secret_text import SecretText

STOP_GRACE = Duration(30)
"""Time that a program gets to finish after it is asked to stop; the guide's figure."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port that a program listens on.

    Attributes:
        name: what it speaks, such as ``otlp-grpc``.
        number: port inside the container.
        published: where others can reach it; None keeps it internal.
        speaks: the protocol that a proxy in front of it must know.
        transport: TCP or UDP.
    """

    name: str
    number: int
    published: Publication | None = None
    speaks: Literal["http", "grpc", "bytes"] = "http"
    transport: Literal["TCP", "UDP"] = "TCP"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How to check whether a program is ready.

    Attributes:
        port: HTTP port of its health endpoint; None where only the command can check.
        path: path that answers 2xx when it is ready.
        command: command inside its own image that exits 0 when it is ready; None where the image has no
            program that could check, and readiness must be checked from outside.
        alive_command: command that exits 0 as long as a restart would not help; None for the same command.
        first_command: for peers, command that exits 0 where the others need not wait for this one, as none of
            them serves; a platform that starts peers one after the other takes that for readiness.
        alive: path that answers 2xx as long as a restart would not help, even when it is not ready; None for
            the same path.
        start_period: time in which failures do not count yet.
        interval: time between two checks.
        awaited: an update waits until it is ready, and fails if that takes too long.
    """

    port: int | None
    path: str = "/"
    alive: str | None = None
    command: tuple[str, ...] | None
    alive_command: tuple[str, ...] | None = None
    first_command: tuple[str, ...] | None = None
    start_period: Duration = Duration(60)
    interval: Duration = Duration(5)
    awaited: bool = True


GO_SHARE = 0.8
"""Share of its memory from which on a Go program collects garbage rather than grow."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Limits and reservations.

    Attributes:
        memory: hard limit; the program is killed above it.
        reserved_memory: what it keeps when the host runs short.
        cpus: hard limit, in cores.
        go_share: share of the memory from which on Go collects garbage rather than grow.
    """

    memory: Size
    reserved_memory: Size
    cpus: float
    go_share: float = GO_SHARE

    @property
    def go_memory(self) -> str:
        """The share as ``GOMEMLIMIT``."""
        return f"{self.memory.share(self.go_share).mebibytes}MiB"


@dataclass(frozen=True, kw_only=True)
class DataVolume:
    """A directory whose content outlives the program.

    Attributes:
        name: name of the volume.
        path: directory inside the container, writable by the image's user.
        size: disk budget; only some platforms enforce it.
    """

    name: str
    path: str
    size: Size


@dataclass(frozen=True, kw_only=True)
class ApiRule:
    """What a program may read from the platform's own API.

    Attributes:
        resources: kinds of the core group, in the plural.
        everywhere: in all namespaces, not only the stack's.
    """

    resources: tuple[str, ...]
    everywhere: bool = False


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A program that runs beside another, sharing its account, files, volumes and temporary directories.

    Attributes:
        name: its name.
        image: its image; it runs as the other one's user.
        probe: how to tell that it is ready.
        resources: limits and reservations.
        entry_point: command in place of the image's entry point.
        args: arguments.
        environment: environment variables; no secrets.
    """

    name: str
    image: Image
    probe: Probe
    resources: Resources
    entry_point: Sequence[str]
    args: Sequence[str]
    environment: Mapping[str, str]

    def within(self, workload: Workload) -> Workload:
        """Describe it as a separate workload, with all that it shares."""
        return replace(
            workload,
            name=self.name,
            image=self.image,
            probe=self.probe,
            resources=self.resources,
            entry_point=self.entry_point,
            args=self.args,
            environment=self.environment,
            ports=(),
            companions=(),
        )


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One program to run.

    Attributes:
        name: name by which others reach it.
        image: its image.
        probe: how to tell that it is ready.
        resources: limits and reservations.
        replicas: number of equal instances that share the name; each then has its own volumes and finds its
            own name in the environment variable REPLICA. None means a single one without a number.
        identity: a replica that comes back has the number it had before, in REPLICA_NUMBER, counted from 1.
            Values of the environment may contain ``$(REPLICA)``, ``$(REPLICA_NUMBER)`` and ``$(DOMAIN)``,
            which extends a name of the stack so that it resolves wherever the platform's names do.
        peers: the replicas find each other before any of them is ready, by a name that stands for all of
            them; with an identity or volumes each also has its own host name.
        autoscaling: bounds within which their number follows the load, where the platform can do that.
        calls: ``host:port`` of everything it opens connections to.
        reads: what it reads from the platform's own API, where there is one.
        account: annotations of its account on the platform, by which a cloud grants it a role; changed ones
            replace what runs, since a cloud decides on credentials when a program starts.
        scraped: name of the port that serves ``/metrics``.
        args: arguments; the image's entry point stays.
        entry_point: command in place of the image's entry point.
        environment: environment variables; no secrets.
        config_directory: directory that holds ``files`` and ``secret_files``, read-only.
        files: configuration text by path relative to ``config_directory``.
        secret_files: the same for secrets, readable only by the image's user.
        ports: what it listens on.
        volumes: what outlives it.
        writable: additional directories that it may write to, lost when it stops.
        writable_size: most that each of these may hold: memory on Docker, the node's disk on Kubernetes.
        companions: programs that run beside it; only some platforms can do that.
        stop_grace: time to finish after it is asked to stop.
        lingers: how long at the least it serves on before it is asked to stop, as callers of the shared name
            go on calling; None for not at all, unless it is published.
    """

    name: str
    image: Image
    probe: Probe
    resources: Resources
    replicas: int | None = None
    identity: bool = False
    peers: bool = False
    autoscaling: Autoscaling | None = None
    calls: Sequence[str] = ()
    reads: Sequence[ApiRule] = ()
    account: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    scraped: str | None = None
    args: Sequence[str] = ()
    entry_point: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    config_directory: str
    files: Mapping[str, str]
    secret_files: Mapping[str, SecretText] = field(default_factory=dict)
    ports: Sequence[Port] = ()
    volumes: Sequence[DataVolume] = ()
    writable: Sequence[str] = ("/tmp",)  # noqa: S108 - a path inside the container
    writable_size: Size = mebibytes(64)
    companions: Sequence[Companion] = ()
    stop_grace: Duration = STOP_GRACE
    lingers: Duration | None = None

    def __post_init__(self) -> None:
        """Refuse a workload that no platform could run.

        Raises:
            ValueError: names the field and its value.
        """
        outside = [path for path in (*self.files, *self.secret_files) if path.startswith("/")]
        if outside:
            raise ValueError(f"{self.name}: files must be relative to {self.config_directory}: {outside}")
        numbers = [(port.number, port.transport) for port in self.ports]
        if len(set(numbers)) != len(numbers):
            raise ValueError(f"{self.name}: a port is given twice: {numbers}")

    def port(self, name: str) -> Port:
        """Return a port by name.

        Raises:
            KeyError: the program does not listen on such a port.
        """
        for port in self.ports:
            if port.name == name:
                return port
        raise KeyError(f"{self.name} has no port {name!r}; it has {[port.name for port in self.ports]}")


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A deployed workload.

    Attributes:
        workload: what runs.
        host: name by which other workloads reach it.
        ready: resources that exist only once it answers; depend on them to start after it.
    """

    workload: Workload
    host: str
    ready: Sequence[pulumi.Resource]

    def address(self, port: str) -> str:
        """Return ``host:port`` inside the platform's network."""
        return f"{self.host}:{self.workload.port(port).number}"

    def url(self, port: str) -> str:
        """Return the address of an HTTP port inside the platform's network."""
        return f"http://{self.address(port)}"


def replica_hosts(name: str, replicas: int) -> Sequence[str]:
    """Return the names of the replicas of a workload whose replicas are peers."""
    return [f"{name}-{number}.{headless(name)}" for number in range(1, replicas + 1)]


def headless(name: str) -> str:
    """Return the name that stands for each replica of a workload, not for any one of them."""
    return f"{name}-headless"


def callee(url: str) -> str:
    """Return the ``host:port`` of an address, with or without path; a scheme has a port if none is written.

    Raises:
        ValueError: it names no host and port.
    """
    parts = urlsplit(url if "//" in url else f"//{url}")
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    if parts.hostname is None or port is None:
        raise ValueError(f"{url!r} names no host and port")
    return f"{parts.hostname}:{port}"


class Platform(Protocol):
    """Turns workloads into what the platform runs."""

    @property
    def component_options(self) -> pulumi.ResourceOptions:
        """Options for components, so that what they create uses the platform's own provider."""

    def run(
        self, workload: Workload, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> Deployed:
        """Run a workload, as children of ``parent``, once everything in ``after`` exists."""
