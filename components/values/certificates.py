"""X.509 certificates and keys in PEM, as programs that serve TLS take them."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LEAST_RSA = 2048
"""Bits below which OpenSSL does not use a key by default."""


def read_certificates(text: str) -> list[x509.Certificate]:
    """Read certificates; none where there is no text.

    Raises:
        ValueError: one of them is broken.
    """
    return x509.load_pem_x509_certificates(text.encode()) if text.strip() else []


def read_key(text: str) -> PrivateKeyTypes | None:
    """Read a private key; None if it is none, or has a password."""
    try:
        return load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def first_end(text: str) -> datetime:
    """Return when the first of some certificates expires.

    Raises:
        ValueError: one of them is broken.
    """
    return min(one.not_valid_after_utc for one in read_certificates(text))


def belongs(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is for a key."""
    try:
        return bool(key.public_key() == certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return False


def is_served(key: PrivateKeyTypes) -> bool:
    """Tell whether both Go and OpenSSL serve TLS with such a key."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.key_size >= LEAST_RSA
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
    return isinstance(key, ed25519.Ed25519PrivateKey)


def names_of(certificate: x509.Certificate) -> list[str]:
    """Give the names and addresses that a certificate is for; clients ignore its subject."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    hosts = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    return [*hosts, *map(str, names.get_values_for_type(x509.IPAddress))]


def covers(names: list[str], name: str) -> bool:
    """Tell whether one of the names is this one, or stands for it with an asterisk."""
    try:
        ip_address(name)
    except ValueError:
        return name.lower() in names or f"*.{name.lower().partition('.')[2]}" in names
    return name in names
