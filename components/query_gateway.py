"""HAProxy between the stores of phase 4 and those who query them: queries pass, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from components.base import StackComponent, limits
from components.images import Image
from components.load_balancer import CONFIG_DIRECTORY, OBSERVE_PORT, OBSERVERS, most_connections
from components.loki_store import PORT as LOKI_PORT
from components.mimir_store import PORT as MIMIR_PORT
from components.publication import Publication
from components.sizing.programs import TierSize
from components.tempo_store import PORT as TEMPO_PORT
from components.values.documents import texts
from components.values.quantities import Size
from components.workload import Platform, Port, Probe, Workload, callee

NAME = "query-gateway"
"""Name under which it is reached."""

PORTS: Mapping[str, int] = {"tempo": TEMPO_PORT, "mimir": MIMIR_PORT, "loki": LOKI_PORT}
"""Store -> port, which is the store's own."""

BUFFERS = 4
"""Buffers that a busy connection holds: two towards the client and two towards the store."""

BUFFER = Size(64 * 2**10)
"""What a query's address and headers may take together, 1 KiB less. Grafana asks Loki with the whole query in
the address, and a variable that stands for many values is written out there."""


@dataclass(frozen=True, kw_only=True)
class QueryGatewayArgs:
    """Settings of the query gateway.

    Attributes:
        image: HAProxy's image.
        size: replicas and limits.
        tempo: Tempo's query API.
        mimir: Mimir's query API.
        mimir_rules: where Mimir has its rules from; its API takes them with ``api`` alone.
        alertmanager: Mimir's Alertmanager.
        loki: Loki's query API.
        published: store -> where others reach its query API.
    """

    image: Image
    size: TierSize
    tempo: str
    mimir: str
    mimir_rules: Literal["files", "api"]
    alertmanager: str
    loki: str
    published: Mapping[str, Publication]


class QueryGateway(StackComponent):
    """The only way to the stores' query APIs.

    Attributes:
        data_sources: uid of Grafana's data source -> URL of its store.
    """

    def __init__(
        self, name: str, args: QueryGatewayArgs, *, platform: Platform, after: Sequence[StackComponent]
    ) -> None:
        """Run it once the stores answer."""
        super().__init__(name, platform)
        deployed = self.run(query_gateway(name, args), after)
        self.data_sources = {
            "tempo": deployed.url("tempo"),
            "mimir": deployed.url("mimir") + urlsplit(args.mimir).path,
            "mimir-alertmanager": deployed.url("mimir") + urlsplit(args.alertmanager).path,
            "loki": deployed.url("loki"),
        }


def query_gateway(name: str, args: QueryGatewayArgs) -> Workload:
    """Describe its workload."""
    called = {
        "TEMPO": callee(args.tempo),
        "MIMIR": callee(args.mimir),
        "ALERTMANAGER": callee(args.alertmanager),
        "LOKI": callee(args.loki),
    }
    connections = most_connections(args.size.each.memory, Size(BUFFERS * BUFFER.bytes))
    return Workload(
        name=name,
        image=args.image,
        replicas=args.size.replicas,
        entry_point=["/bin/sh", f"{CONFIG_DIRECTORY}/query-gateway.sh"],
        environment={
            **called,
            "MIMIR_RULES": args.mimir_rules,
            "BUFFER_BYTES": str(BUFFER.bytes),
            "MAX_CONNECTIONS": str(connections),
            "MAX_STORE_CONNECTIONS": str((connections - OBSERVERS) // len(PORTS)),
        },
        config_directory=CONFIG_DIRECTORY,
        files=texts("haproxy", "query-gateway.*"),
        ports=[
            *(Port(name=store, number=PORTS[store], published=to) for store, to in args.published.items()),
            Port(name="observe", number=OBSERVE_PORT),
        ],
        scraped="observe",
        calls=sorted(set(called.values())),
        probe=Probe(port=OBSERVE_PORT, path="/healthz", command=None),
        resources=limits(args.size.each),
    )
