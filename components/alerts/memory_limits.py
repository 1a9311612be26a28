"""Memory limits by scrape job, for the alerts on memory."""

from __future__ import annotations

from collections.abc import Mapping

from components.collector_copier import NAME
from components.sections.phase_numbers import ON_KUBERNETES, WITH_KAFKA
from components.settings import Settings
from components.sizing import GRAFANA_SHARE, ProgramSize
from components.values.quantities import Size
from components.workload import GO_SHARE


def node_limits(settings: Settings) -> Mapping[str, Size]:
    """Return the limits of the programs of phases 1 to 3."""
    programs = settings.size.programs
    collector = {} if settings.phase >= ON_KUBERNETES else {"otel-collector": programs["collector"].memory}
    return {
        **collector,
        **{job: programs[job].memory for job in ("jaeger", "prometheus", "loki")},
        "grafana": _of_grafana(programs["grafana"]),
        **(_buffer_limits(settings) if settings.phase >= WITH_KAFKA else {}),
    }


def object_limits(settings: Settings) -> Mapping[str, Size]:
    """Return the limits of the programs of phase 4."""
    size = settings.store_size
    processor = settings.buffer.processor.each.memory
    return {
        **{name: part.each.memory for name, part in size.parts.items()},
        "grafana": _of_grafana(size.grafana),
        "prometheus-agent": size.agent.memory,
        **_buffer_limits(settings),
        **({"otel-processor-phase3": processor} if settings.writes_node_stores else {}),
    }


def _of_grafana(size: ProgramSize) -> Size:
    """Return the limit that its own process would have alone: only that tells how much it uses."""
    return size.memory.share(GRAFANA_SHARE / GO_SHARE)


def _buffer_limits(settings: Settings) -> Mapping[str, Size]:
    buffer = settings.buffer
    return {
        "otel-gateway": buffer.gateway.each.memory,
        "otel-processor": buffer.processor.each.memory,
        **copier_limit(settings),
    }


def copier_limit(settings: Settings) -> Mapping[str, Size]:
    """Return its memory limit by scrape job, where it runs; that tells the alerts that it should."""
    return {} if settings.kafka.copy_to is None else {NAME: settings.buffer.copier.memory}
