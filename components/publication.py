"""Where clients other than the stack's own programs reach a port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Where clients other than the stack's own programs reach a port.

    Attributes:
        host: name or address that they use.
        port: port that they use.
        scheme: ``https`` where the program, or something in front of it, terminates TLS.
    """

    host: str
    port: int
    scheme: Literal["http", "https"] = "http"

    @property
    def url(self) -> str:
        """The HTTP address for clients."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """The same as browsers write it, without the default port: sign-in providers compare strings."""
        own = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{self.host}" if self.port == own else self.url


@dataclass(frozen=True, kw_only=True)
class HostPort(Publication):
    """A port of the host that runs the containers.

    Attributes:
        address: address of the host to listen on.
    """

    address: str


@dataclass(frozen=True, kw_only=True)
class Exposure(Publication):
    """A name under which a cluster publishes a port.

    Attributes:
        audience: whom it is for: everybody, outside the cluster too; the namespaces of applications; the
            namespaces that may query the stores.
    """

    audience: Literal["everybody", "clients", "readers"] = "clients"
