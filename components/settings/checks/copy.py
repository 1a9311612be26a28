"""Whether the copy of everything for another stack is read from Kafka, and leaves this one."""

from __future__ import annotations

from collections.abc import Iterator

from components.sections.phase_numbers import ON_KUBERNETES, WITH_KAFKA
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem

OWN_GATEWAYS = ("haproxy", "otel-gateway", "otel-gateway-headless", "otel-gateway-external")
"""Names by which the programs of a stack reach its own OTLP address; the first in phase 2 only."""


def _copy_is_of_kafka(settings: SettingsModel) -> Iterator[Problem]:
    copy = settings.kafka.copy_to
    if copy is None:
        return
    if settings.phase < WITH_KAFKA:
        yield Problem(
            key="kafka.copyTo",
            value=copy.endpoint,
            message=f"a copy is read from Kafka, which phase {settings.phase} does not have; set phase: "
            f"{WITH_KAFKA}, or remove it",
        )
    if copy.ca is not None and not copy.tls:
        yield Problem(
            key="kafka.copyTo.ca",
            value="(certificates)",
            message="only for kafka.copyTo.tls: true; set that, or remove the certificates",
        )


def _published(settings: SettingsModel) -> set[str]:
    """Return the stack's own OTLP addresses on a Docker host; none on Kubernetes."""
    if settings.phase >= ON_KUBERNETES:
        return set()
    ingest, tls, host = settings.ingest, settings.ingest.tls, settings.docker.advertised_host
    own = {(ingest.bind_address, ingest.grpc_port)}
    if tls is not None:
        own.add((tls.bind_address, tls.grpc_port))
    return {f"{name}:{port}" for address, port in own for name in (address, host or address)}


def _own_names(settings: SettingsModel) -> list[str | None]:
    """Return the names that lead to the stack's own gateways, whatever the port."""
    if settings.phase < ON_KUBERNETES:
        return [*OWN_GATEWAYS]
    section = settings.kubernetes
    domains = ("", *(f".{section.namespace}{end}" for end in ("", ".svc", ".svc.cluster.local")))
    return [section.exposure.otlp_grpc_host, *(f"{name}{end}" for name in OWN_GATEWAYS for end in domains)]


def _copy_leaves_the_stack(settings: SettingsModel) -> Iterator[Problem]:
    copy = settings.kafka.copy_to
    if copy is None:
        return
    if copy.endpoint in _published(settings) or copy.endpoint.rpartition(":")[0] in _own_names(settings):
        yield Problem(
            key="kafka.copyTo.endpoint",
            value=copy.endpoint,
            message="this stack itself: every record would come back and be copied again, endlessly. Name "
            "the other stack's otlp_grpc_endpoint",
        )


COPY_CHECKS: tuple[Check, ...] = (
    Check(reads=("phase", "kafka"), run=_copy_is_of_kafka),
    Check(reads=("phase", "kafka", "ingest", "docker", "kubernetes"), run=_copy_leaves_the_stack),
)
