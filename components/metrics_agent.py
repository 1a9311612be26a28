"""Prometheus as an agent: scrapes the stack's own programs where Mimir stores their metrics."""

from __future__ import annotations

from dataclasses import dataclass

from components.base import StackComponent, data_volumes, limits
from components.images import Image
from components.prometheus_store import CONFIG_DIRECTORY, PORT, PROBE
from components.sizing import ProgramSize
from components.stores.cluster import TENANT_HEADER
from components.values.documents import Document, text
from components.workload import ApiRule, Platform, Port, Workload, callee


@dataclass(frozen=True, kw_only=True)
class MetricsAgentArgs:
    """Settings of the agent.

    Attributes:
        image: Prometheus's image.
        size: its limits and disk.
        environment: external label on everything it forwards.
        tenant: name under which the samples are stored.
        write_url: where it sends them, by remote write.
        scraped: ``host:port`` of what it may scrape.
    """

    image: Image
    size: ProgramSize
    environment: str
    tenant: str
    write_url: str
    scraped: tuple[str, ...]


class MetricsAgent(StackComponent):
    """Prometheus 3 in agent mode, finding pods by their annotations."""

    def __init__(self, name: str, args: MetricsAgentArgs, *, platform: Platform) -> None:
        """Run the agent."""
        super().__init__(name, platform)
        self.run(_workload(name, args))


def agent_configuration(args: MetricsAgentArgs) -> Document:
    """Set the agent's configuration file from its settings."""
    document = Document.read("prometheus/agent.yaml")
    document.set("global", "external_labels", "environment", to=args.environment)
    document.set("remote_write", 0, "url", to=args.write_url)
    document.set("remote_write", 0, "headers", TENANT_HEADER, to=args.tenant)
    return document


def _workload(name: str, args: MetricsAgentArgs) -> Workload:
    return Workload(
        name=name,
        image=args.image,
        args=[
            f"--config.file={CONFIG_DIRECTORY}/agent.yaml",
            "--agent",
            "--storage.agent.path=/prometheus",
            "--log.format=json",
        ],
        config_directory=CONFIG_DIRECTORY,
        files={
            "agent.yaml": agent_configuration(args).dump(),
            "scrape/pods.yaml": text("prometheus/scrape/pods.yaml"),
        },
        ports=[Port(name="http", number=PORT)],
        scraped="http",
        calls=[*args.scraped, callee(args.write_url)],
        reads=[ApiRule(resources=("pods",))],
        probe=PROBE,
        resources=limits(args.size),
        volumes=data_volumes("prometheus-agent-data", "/prometheus", args.size),
    )
