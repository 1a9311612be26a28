"""OTLP with TLS: settings with a certificate of the tests' own, and what its clients need."""

from __future__ import annotations

from typing import Any

from tests.lab.cluster.pki import Identity, Signed, signed
from tests.support.otlp import Tls

ADDRESS = "192.0.2.10"
"""An address of no machine."""


def encrypted(
    name: str,
    *,
    address: str = ADDRESS,
    server: Signed | None = None,
    clients: bool | str = False,
    **ports: int,
) -> dict[str, Any]:
    """Give the settings that publish OTLP with TLS.

    Args:
        name: that clients use.
        address: of the host, on which it is published.
        server: certificate for that name; a new one by default.
        clients: certificate of the CA that signs clients' own, or whether to make one.
        ports: ``grpcPort`` and ``httpPort``, unless the usual ones.
    """
    server = server or issued(name)
    authority = issued("client").authority if clients is True else clients
    asked = {"clientCa": authority} if authority else {}
    tls = {"bindAddress": address, "certificate": server.certificate, **asked, **ports}
    return {"ingest": {"tls": tls}, "ingestTlsKey": server.key}


def client_of(server: Signed, name: str, client: Signed | None = None) -> Tls:
    """Give what a client needs to reach a server by name, with a certificate of its own if it has one."""
    own = () if client is None else (client.certificate, client.key)
    return Tls(host=name, authority=server.authority, client=own)


def issued(name: str) -> Signed:
    """Make a certificate for a server, or for a client, of that name."""
    return signed(Identity(name=name, user=name, hosts=(name,)))
