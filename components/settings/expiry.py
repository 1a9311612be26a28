"""When the certificates in the settings expire, and when to say so."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from components.sections.ingest import IngestTlsSection
from components.settings.problems import Problem
from components.values.certificates import first_end

SECTION = "ingest.tls"


CERTIFICATE, CLIENT_CA = f"{SECTION}.certificate", f"{SECTION}.clientCa"


WARN_BEFORE = timedelta(days=21)
"""Certificates of 90 days are usually renewed a month before they expire: this leaves that a week to fail."""


def expiring(tls: IngestTlsSection, now: datetime | None = None) -> Problem | None:
    """Report the first certificate to expire, the host's or a CA's, if that is soon."""
    now = now or datetime.now(timezone.utc)
    key, end = first_to_end(tls)
    if end - now >= WARN_BEFORE:
        return None
    ended = "expired" if end < now else "expires"
    fresh = "certificate and its key" if key == CERTIFICATE else "one"
    return Problem(
        key=key,
        value=f"{end:%Y-%m-%d %H:%M} UTC",
        message=f"{ended} then: no client can connect with TLS after that. Set a new {fresh}, then make up",
    )


def first_to_end(tls: IngestTlsSection) -> tuple[str, datetime]:
    """Return the key of what expires first, and when it does."""
    ends = {CERTIFICATE: first_end(tls.certificate)}
    if tls.client_ca is not None:
        ends[CLIENT_CA] = first_end(tls.client_ca)
    return min(ends.items(), key=lambda one: one[1])
