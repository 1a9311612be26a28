"""How long clients can still connect with TLS."""

from __future__ import annotations

from collections.abc import Iterator

from components.checks_ingest import certificate_problem, expiry
from components.settings import Settings
from ops.health.model import Reading

AREA = "certificate"


def certificate_readings(settings: Settings) -> Iterator[Reading]:
    """Read the certificate for OTLP from a stack's settings, if it has one."""
    tls = settings.ingest.tls
    if tls is None:
        return
    problem = certificate_problem(settings)
    if problem is None:
        yield Reading(area=AREA, name="OTLP", found=f"until {expiry(tls)}")
    else:
        yield Reading(
            area=AREA, name="OTLP", status="degraded", found=str(problem.value), advice=problem.message
        )
