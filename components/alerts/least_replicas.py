"""The least number of scraped instances of each program, for the alerts on missing ones."""

from __future__ import annotations

from collections.abc import Mapping

from components.collector_copier import copier_job
from components.sections.phase_numbers import ON_KUBERNETES, ON_OBJECT_STORAGE, WITH_KAFKA
from components.settings import Settings

NODE_STORES = ("jaeger", "prometheus", "loki")


def least_replicas(settings: Settings) -> Mapping[str, int]:
    """Return them by scrape job; for what an autoscaler scales, its minimum.

    Phase 4's stores and agent are not included: they have their own alerts.
    """
    phase, buffer = settings.phase, settings.buffer
    found = _single(settings)
    if phase >= WITH_KAFKA:
        found |= {"otel-gateway": buffer.gateway.replicas, "otel-processor": buffer.processor.replicas}
    found |= dict.fromkeys(copier_job(settings), 1)
    if phase == ON_OBJECT_STORAGE:
        found["grafana"] = settings.grafana.replicas
        found["query-gateway"] = settings.store_size.query_gateway.replicas
        if settings.writes_node_stores:
            found["otel-processor-phase3"] = buffer.processor.replicas
    return found


def _single(settings: Settings) -> dict[str, int]:
    """Return the programs that have one instance."""
    phase = settings.phase
    jobs = ["grafana"]
    if settings.has_node_stores:
        jobs += NODE_STORES
    if phase < ON_KUBERNETES:
        jobs.append("otel-collector")
    if phase == WITH_KAFKA:
        jobs.append("haproxy")
    return dict.fromkeys(jobs, 1)
