"""The compositions of the stack; each reads like its line of the README's table of phases."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.node_stores import run_grafana, run_stores
from components.otel_collector import OtelCollector, OtelCollectorArgs
from components.outputs import Outputs, Running, outputs
from components.platform.docker import DockerPlatform
from components.settings import Settings


class PhaseError(ValueError):
    """The settings choose a phase that this version does not compose."""


def build(settings: Settings) -> Outputs:
    """Compose the phase that the settings choose.

    Raises:
        PhaseError: this version does not compose it.
    """
    compose = _PHASES.get(settings.phase)
    if compose is None:
        known = ", ".join(map(str, _PHASES))
        raise PhaseError(f"phase: {settings.phase}: this version composes phase {known}; choose that")
    return compose(settings)


def single_node(settings: Settings) -> Outputs:
    """Phase 1: applications -> collector -> Jaeger, Prometheus, Loki -> Grafana, on one Docker Engine."""
    platform = DockerPlatform(host=settings.docker.host, images=settings.image_catalogue)
    stores = run_stores(settings, platform)
    collector = OtelCollector(
        "otel-collector",
        OtelCollectorArgs(
            image=settings.image_catalogue["collector"],
            size=settings.size.programs["collector"],
            environment=settings.environment,
            ingest=settings.ingest,
            grpc=settings.publication(settings.ingest.bind_address, settings.ingest.grpc_port),
            http=settings.publication(settings.ingest.bind_address, settings.ingest.http_port),
            stores=stores.otlp_endpoints,
        ),
        platform=platform,
        after=stores.all,
    )
    grafana = run_grafana(settings, platform, stores)
    running = Running(
        ingest=collector.deployed,
        traces=stores.jaeger.deployed,
        metrics=stores.prometheus.deployed,
        logs=stores.loki.deployed,
        grafana=grafana.deployed,
    )
    return outputs(settings, running, platform="docker")


_PHASES: Mapping[int, Callable[[Settings], Outputs]] = {1: single_node}
