"""Whether OTLP can be served with TLS, and clients will connect."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from cryptography import x509

from components.sections.ingest import IngestTlsSection
from components.sections.phase_numbers import ON_KUBERNETES
from components.settings.expiry import CERTIFICATE, CLIENT_CA, SECTION, expiring
from components.settings.model import SettingsModel
from components.settings.problems import Check, Problem
from components.values.certificates import (
    LEAST_RSA,
    belongs,
    covers,
    is_served,
    names_of,
    read_certificates,
    read_key,
)
from components.values.secret_text import ENCRYPTED

KEY = "ingestTlsKey"
HOW = "docs/security.md, OTLP with TLS, has the commands"


def tls_warnings(settings: SettingsModel) -> Iterator[Problem]:
    """Report what is allowed, but keeps clients from connecting with TLS or lets them do without."""
    tls, plain = settings.ingest.tls, settings.ingest.bind_address
    if settings.phase >= ON_KUBERNETES:
        return
    if tls is None:
        if settings.ingest_tls_key is not None:
            yield Problem(key=KEY, value="set", message=f"{SECTION} is not set, so nothing uses it")
        return
    soon = expiring(tls)
    if soon is not None:
        yield soon
    yield from _unnamed(tls, settings.docker.advertised_host or tls.bind_address)
    if not ip_address(plain).is_loopback:
        yield Problem(
            key="ingest.bindAddress",
            value=plain,
            message=f"OTLP is open there without TLS and certificates, whatever {SECTION} says. Remove it, "
            "unless that network is yours alone",
        )


def _unnamed(tls: IngestTlsSection, name: str) -> Iterator[Problem]:
    names = names_of(read_certificates(tls.certificate)[0])
    if not covers(names, name):
        yield Problem(
            key=CERTIFICATE,
            value=", ".join(names) or "no name",
            message=f"clients that use {name}, as the outputs say, refuse it. Set docker.advertisedHost to a "
            "name in it, or get one for that name",
        )


def _tls_can_be_served(settings: SettingsModel) -> Iterator[Problem]:
    """Refuse what no program would start with, since by then the one before it is gone."""
    tls, key = settings.ingest.tls, settings.ingest_tls_key
    if tls is None or settings.phase >= ON_KUBERNETES:
        return
    try:
        own, authorities = read_certificates(tls.certificate)[0], read_certificates(tls.client_ca or "")
    except ValueError as error:
        yield Problem(key=SECTION, value="(certificates)", message=f"not whole: {error}. Copy them again")
        return
    if authorities and not any(one.issuer == one.subject for one in authorities):
        yield Problem(
            key=CLIENT_CA,
            value=authorities[0].subject.rfc4514_string(),
            message="signed by another CA, whose certificate is needed as well. Add those up to the root, "
            "which has signed itself",
        )
    if key is None:
        message = f"{SECTION} needs it. Remove that, set the key, put it back: {HOW}"
        yield Problem(key=KEY, value=None, message=message)
    elif key != ENCRYPTED:
        yield from _pair_problems(own, key)


def _pair_problems(own: x509.Certificate, text: str) -> Iterator[Problem]:
    key = read_key(text)
    if key is None:
        yield _wrong_key(
            "not a private key in PEM without a password, from -----BEGIN PRIVATE KEY----- to "
            f"-----END PRIVATE KEY-----. Set it again: {HOW}"
        )
    elif not is_served(key):
        yield _wrong_key(
            f"neither RSA of {LEAST_RSA} bits or more, nor ECDSA on P-256, P-384 or P-521, nor Ed25519: the "
            "collector or HAProxy would not serve TLS. Get a certificate for such a key"
        )
    elif not belongs(key, own):
        yield Problem(
            key=CERTIFICATE,
            value=own.subject.rfc4514_string() or "(no subject)",
            message=f"the key in {KEY} is not this certificate's. The host's comes first, its CA's after it",
        )


def _wrong_key(message: str) -> Problem:
    return Problem(key=KEY, value="(secret)", message=message)


INGEST_CHECKS: tuple[Check, ...] = (Check(reads=("phase", "ingest", KEY), run=_tls_can_be_served),)
