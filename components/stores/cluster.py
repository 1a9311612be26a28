"""A store of equal replicas on object storage: one program, run whole or as parts that scale separately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import pulumi

from components.base import StackComponent, data_volumes, limits
from components.images import Image
from components.sections.stores import Shape
from components.sizing.programs import TierSize
from components.sizing.store_parts import PARTS, Role
from components.values.quantities import Duration
from components.values.secret_text import SecretText
from components.workload import STOP_GRACE, Deployed, Port, Probe, Workload, headless

T = TypeVar("T")

GRPC_PORT, GOSSIP_PORT = 9095, 7946
TENANT_HEADER = "X-Scope-OrgID"
HAND_OVER = Duration(300)
"""Time to write to the bucket what only a replica's disk holds, before it is stopped regardless."""
LINGER = Duration(5)
"""Until those that ask a store by its shared name have learned that a replica stops."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One workload of a store.

    Attributes:
        name: the workload.
        target: the program's own parts that it runs.
        keeps_data: has a volume that outlives it.
        queried: answers queries.
        ports: what it listens on besides HTTP, gRPC and gossip.
    """

    name: str
    target: str
    keeps_data: bool = False
    queried: bool = False
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Extra:
    """What only those workloads of a store have that run a certain part of the program.

    Attributes:
        files: configuration text by path.
        secret_files: the same for secrets.
        calls: ``host:port`` of what else they connect to.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    secret_files: Mapping[str, SecretText] = field(default_factory=dict)
    calls: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Program:
    """What all parts of a store share.

    Attributes:
        image: its image.
        http_port: port of the HTTP interface, metrics and readiness.
        alive: path that answers as long as a restart would not help.
        config_directory: directory of its files.
        config_file: the file it is started with.
        files: configuration text by path.
        secret_files: the same for secrets.
        environment: environment variables.
        data_directory: where it writes.
        volume: name of the data volume.
        calls: ``host:port`` of everything else that it connects to.
        linger: how long a part that answers queries serves on before it is asked to stop.
        account: annotations of its service accounts.
        extras: part of the program, as targets name it -> what comes with it. The others are not replaced
            when that changes.
    """

    image: Image
    http_port: int
    alive: str
    config_directory: str
    config_file: str
    files: Mapping[str, str]
    secret_files: Mapping[str, SecretText] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    data_directory: str
    volume: str
    calls: Sequence[str] = ()
    linger: Duration = LINGER
    account: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    extras: Mapping[str, Extra] = field(default_factory=dict)


def workload_of(store: str, shape: Shape, role: Role) -> str:
    """Name the workload of a store that has a role.

    Raises:
        KeyError: none has it.
    """
    for part in PARTS[store][shape]:
        if role in part.roles:
            return part.name
    raise KeyError(f"{store} has no {role} in shape {shape}")


def parts_of(store: str, shape: Shape, *, written: tuple[Port, ...] = ()) -> Sequence[Part]:
    """Return the workloads of a store, the one with the data first.

    Args:
        store: its name in ``PARTS``.
        shape: how it is divided.
        written: ports, besides HTTP, of those that receive what is to be stored.
    """
    return [
        Part(
            name=part.name,
            target=part.target,
            keeps_data="keeper" in part.roles,
            queried="reader" in part.roles,
            ports=written if "writer" in part.roles else (),
        )
        for part in PARTS[store][shape]
    ]


def members(name: str) -> list[str]:
    """Return where the replicas of all parts find each other: at those of the part with the data."""
    return [f"dns+{headless(name)}:{GOSSIP_PORT}"]


class ClusterStore(StackComponent):
    """The workloads of a store."""

    def run_parts(
        self,
        program: Program,
        parts: Sequence[Part],
        sizes: Mapping[str, TierSize],
        after: Iterable[pulumi.Resource],
    ) -> Mapping[str, Deployed]:
        """Run all parts at once, as none is ready without the others, and return them by name."""
        first = list(after)
        found = {
            part.name: self.start(part_workload(program, part, parts, sizes[part.name]), first)
            for part in parts
        }
        self.deployed = found[parts[0].name]
        self.register_outputs({name: deployed.host for name, deployed in found.items()})
        return found


def part_workload(program: Program, part: Part, parts: Sequence[Part], size: TierSize) -> Workload:
    """Describe one workload of a store."""
    others = [other for other in parts if other.name != part.name]
    ports = [
        Port(name="http", number=program.http_port),
        Port(name="grpc", number=GRPC_PORT, speaks="grpc"),
        Port(name="gossip", number=GOSSIP_PORT, speaks="bytes"),
        *part.ports,
    ]
    kept, extras = part.keeps_data, _extras(program, part)
    own_calls = [call for extra in extras for call in extra.calls]
    return Workload(
        name=part.name,
        image=program.image,
        replicas=size.replicas,
        peers=True,
        identity=kept,
        args=[
            f"-config.file={program.config_directory}/{program.config_file}",
            "-config.expand-env=true",
            f"-target={part.target}",
        ],
        environment=program.environment,
        config_directory=program.config_directory,
        files=_merged(program.files, *(extra.files for extra in extras)),
        secret_files=_merged(program.secret_files, *(extra.secret_files for extra in extras)),
        ports=ports,
        scraped="http",
        account=program.account,
        calls=[
            *program.calls,
            *own_calls,
            *(call for other in others for call in _within(program, other)),
        ],
        probe=Probe(port=program.http_port, path="/ready", alive=program.alive, command=None),
        resources=limits(size.each),
        volumes=data_volumes(program.volume, program.data_directory, size.each),
        stop_grace=HAND_OVER if kept else STOP_GRACE,
        lingers=program.linger if part.queried else None,
    )


def _extras(program: Program, part: Part) -> list[Extra]:
    """Return what a workload has beyond what all share; ``all`` runs everything."""
    runs = set(part.target.split(","))
    return [extra for name, extra in program.extras.items() if not runs.isdisjoint((name, "all"))]


def _merged(*sources: Mapping[str, T]) -> dict[str, T]:
    return {path: text for source in sources for path, text in source.items()}


def _within(program: Program, other: Part) -> list[str]:
    numbers = [program.http_port, GRPC_PORT, GOSSIP_PORT, *(port.number for port in other.ports)]
    return [f"{other.name}:{number}" for number in numbers]
