"""How long clients can still connect with TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from components.settings import Settings
from components.settings.expiry import expiring, first_to_end
from components.values.addresses import EVERYWHERE, LOOPBACK
from ops.docker.engine import is_here
from ops.health.model import Reading

AREA = "certificate"
TIMEOUT = 5.0
"""Seconds to connect, and to agree on TLS."""


def certificate_readings(settings: Settings) -> Iterator[Reading]:
    """Read the certificates for OTLP in a stack's file, and whether the first is the one that is served."""
    tls = settings.ingest.tls
    if tls is None:
        return
    soon = expiring(tls)
    if soon is not None:
        found = f"{soon.key}: {soon.value}"
        yield Reading(area=AREA, name="OTLP", status="degraded", found=found, advice=soon.message)
    else:
        yield Reading(area=AREA, name="OTLP", found=f"until {first_to_end(tls)[1]:%Y-%m-%d %H:%M} UTC")
    yield _served(_address(settings, tls.bind_address), tls.grpc_port, tls.certificate)


def _address(settings: Settings, bound: str) -> str:
    if not is_here(settings.docker.host):
        return settings.docker.advertised_host or bound
    return LOOPBACK if bound in EVERYWHERE else bound


def _served(host: str, port: int, certificates: str) -> Reading:
    name = f"{host}:{port}"
    try:
        served = ssl.get_server_certificate((host, port), timeout=TIMEOUT)
    except OSError as error:
        advice = "if the programs run, make up; over SSH, the port may be open to others only"
        return Reading(area=AREA, name=name, status="degraded", found=f"no TLS: {error}", advice=advice)
    if "".join(served.split()) in "".join(certificates.split()):
        return Reading(area=AREA, name=name, found="served as in the stack's file")
    advice = "make up serves the one in the stack's file"
    return Reading(
        area=AREA, name=name, status="degraded", found="another certificate is served", advice=advice
    )
