"""Whether a certificate and its key are what programs can serve OTLP with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from components.phase_numbers import ON_KUBERNETES
from components.problems import Check, Problem
from components.secret_text import ENCRYPTED
from components.sections_ingest import IngestTlsSection
from components.settings_model import SettingsModel

SECTION, KEY = "ingest.tls", "ingestTlsKey"
HOW = "docs/security.md, OTLP with TLS, has the commands"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - compared with, not listened on
"""All addresses of a host."""

WARN_BEFORE = timedelta(days=21)
"""Certificates of 90 days are usually renewed a month before they expire: this leaves that a week to fail."""


def certificate_problem(settings: SettingsModel, now: datetime | None = None) -> Problem | None:
    """Report a certificate that expires soon or is for other names, or a key without a certificate."""
    tls = settings.ingest.tls
    if settings.phase >= ON_KUBERNETES:
        return None
    if tls is None:
        return None if settings.ingest_tls_key is None else _problem(KEY, "set", f"{SECTION} is not: no use")
    own = _first(tls.certificate)
    left = own.not_valid_after_utc - (now or datetime.now(timezone.utc))
    if left < WARN_BEFORE:
        ends = "expired" if left < timedelta() else "expires"
        return _certificate_problem(
            expiry(tls), f"{ends} then: no client can connect with TLS after that. Set a new one and its key"
        )
    name, names = settings.docker.advertised_host or tls.bind_address, _names(own)
    if name == EVERYWHERE or _covers(names, name):
        return None
    return _certificate_problem(
        ", ".join(names) or "no name",
        f"clients that use {name}, as the outputs say, refuse it. Set docker.advertisedHost to a name in it, "
        "or get one for that name",
    )


def expiry(tls: IngestTlsSection) -> str:
    """Write when the host's certificate expires."""
    return f"{_first(tls.certificate).not_valid_after_utc:%Y-%m-%d %H:%M} UTC"


def _key_belongs(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse what no program would start with, since by then the one before it is gone."""
    tls, key = settings.ingest.tls, settings.ingest_tls_key
    if tls is None or settings.phase >= ON_KUBERNETES:
        return
    try:
        own = _first(tls.certificate)
        _first(tls.client_ca or tls.certificate)
    except ValueError as error:
        yield _problem(SECTION, "(certificates)", f"not whole: {error}. Copy them again")
        return
    if key is None:
        yield _problem(KEY, None, f"{SECTION} needs it. Remove that, set the key, put it back: {HOW}")
    elif key != ENCRYPTED:
        yield from _pair_problems(own, _public(key))


def _pair_problems(own: x509.Certificate, public: PublicKeyTypes | None) -> Iterator[Problem]:
    if public is None:
        yield _problem(
            KEY,
            "(secret)",
            "not a private key in PEM without a password, from -----BEGIN PRIVATE KEY----- to "
            f"-----END PRIVATE KEY-----. Set it again: {HOW}",
        )
    elif public != own.public_key():
        yield _certificate_problem(
            own.subject.rfc4514_string() or "(no subject)",
            f"the key in {KEY} is not this certificate's. The host's own comes first, its CA's after it",
        )


def _public(key: str) -> PublicKeyTypes | None:
    """Give what belongs to a private key; None if it cannot be read."""
    try:
        return load_pem_private_key(key.encode(), password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _first(certificates: str) -> x509.Certificate:
    """Read the first of some certificates.

    Raises:
        ValueError: one of them is none.
    """
    return x509.load_pem_x509_certificates(certificates.encode())[0]


def _names(certificate: x509.Certificate) -> list[str]:
    """Give the names and addresses that a certificate is for; clients ignore its subject."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _covers(names: list[str], name: str) -> bool:
    """Tell whether one of the names is this one, or stands for it with an asterisk."""
    try:
        ip_address(name)
    except ValueError:
        return name in names or f"*.{name.partition('.')[2]}" in names
    return name in names


def _certificate_problem(value: str, message: str) -> Problem:
    return _problem(f"{SECTION}.certificate", value, message)


def _problem(key: str, value: str | None, message: str) -> Problem:
    return Problem(key=key, value=value, message=message)


INGEST_CHECKS: tuple[Check, ...] = (Check(reads=("phase", "ingest", KEY), run=_key_belongs),)
