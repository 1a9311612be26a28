"""The cluster's certificates: one authority, and a certificate for everyone who must prove their identity."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab.cluster import layout

_LIFETIME = dt.timedelta(days=365)
_CLOCK_SKEW = dt.timedelta(minutes=5)
AUTHORITY = "ca"
SERVICE_ACCOUNTS = "service-accounts"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One certificate.

    Attributes:
        name: of its files.
        user: common name, to Kubernetes the user.
        group: organisation, to Kubernetes the user's group; empty for none.
        hosts: names and addresses that it serves; a certificate without any is only for a client.
    """

    name: str
    user: str
    group: str = ""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A certificate with what goes with it, all in PEM.

    Attributes:
        authority: certificate of its signer.
        certificate: the certificate.
        key: its private key.
    """

    authority: str
    certificate: str
    key: str


IDENTITIES: tuple[Identity, ...] = (
    Identity(name="admin", user="otel-stack-lab", group="system:masters"),
    Identity(name="etcd", user="etcd", hosts=("localhost", "127.0.0.1")),
    Identity(
        name="kube-apiserver",
        user="kube-apiserver",
        group="system:masters",
        hosts=(
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            f"kubernetes.default.svc.{layout.DOMAIN}",
            "127.0.0.1",
            layout.NODE_ADDRESS,
            layout.API_SERVICE_ADDRESS,
        ),
    ),
    Identity(name="front-proxy", user="front-proxy-client"),
    Identity(name="kube-controller-manager", user="system:kube-controller-manager"),
    Identity(name="kube-scheduler", user="system:kube-scheduler"),
    Identity(name="kube-proxy", user="system:kube-proxy"),
    Identity(name="kube-router", user="kube-router"),
    *(
        Identity(
            name=f"kubelet{node.suffix}",
            user=f"system:node:{node.name}",
            group="system:nodes",
            hosts=(node.name, node.address),
        )
        for node in (layout.FIRST, layout.SECOND)
    ),
)


def folder() -> Path:
    """Where the certificates and keys are; nobody else may read it."""
    path = layout.state("pki")
    path.chmod(0o700)
    return path


def certificate(name: str) -> Path:
    """The certificate of an identity, or of the authority."""
    return folder() / f"{name}.crt"


def key(name: str) -> Path:
    """The private key of an identity, or of the service accounts."""
    return folder() / f"{name}.key"


def public_key(name: str) -> Path:
    """The public key of the service accounts."""
    return folder() / f"{name}.pub"


def ensure() -> None:
    """Make the authority and all certificates, unless they are there."""
    if certificate(IDENTITIES[-1].name).is_file():
        return
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    certificate(AUTHORITY).write_bytes(_pem(authority))
    accounts = ec.generate_private_key(ec.SECP256R1())
    _write_key(key(SERVICE_ACCOUNTS), accounts)
    public_key(SERVICE_ACCOUNTS).write_bytes(
        accounts.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    for identity in IDENTITIES:
        own_key = ec.generate_private_key(ec.SECP256R1())
        _write_key(key(identity.name), own_key)
        certificate(identity.name).write_bytes(_pem(issue(identity, own_key, authority, authority_key)))


def signed(identity: Identity) -> Signed:
    """Make a certificate by an authority of its own, which signs no other; nothing is written."""
    authority_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _authority(authority_key)
    return Signed(
        authority=_pem(authority).decode(),
        certificate=_pem(issue(identity, own_key, authority, authority_key)).decode(),
        key=_key_pem(own_key).decode(),
    )


def issue(
    identity: Identity,
    own_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Sign the certificate of an identity: a client's, and a server's where it has hosts."""
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(identity.user, identity.group).public_key(own_key.public_key())
    if identity.hosts:
        usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = builder.add_extension(_names(identity.hosts), critical=False)
    return (
        builder.issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _authority(own_key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    builder = _builder("otel-stack-lab-ca", "").public_key(own_key.public_key())
    return (
        builder.issuer_name(_subject("otel-stack-lab-ca", ""))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(own_key, hashes.SHA256())
    )


def _builder(user: str, group: str) -> x509.CertificateBuilder:
    now = dt.datetime.now(tz=dt.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(user, group))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
    )


def _subject(user: str, group: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
    if group:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _names(hosts: Iterable[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_name(host) for host in hosts])


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(signed: x509.Certificate) -> bytes:
    return signed.public_bytes(serialization.Encoding.PEM)


def _key_pem(own_key: ec.EllipticCurvePrivateKey) -> bytes:
    return own_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_key(path: Path, own_key: ec.EllipticCurvePrivateKey) -> None:
    write_private(path, _key_pem(own_key))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, at no moment readable by others."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
