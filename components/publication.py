"""Where others than the stack's own programs reach a port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Where others than the stack's own programs reach a port.

    Attributes:
        host: name or address that they name.
        port: port that they name.
        scheme: ``https`` where something before the program ends the encryption.
    """

    host: str
    port: int
    scheme: Literal["http", "https"] = "http"

    @property
    def url(self) -> str:
        """The HTTP address for others."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """The same as browsers write it, without the scheme's own port: sign-in providers compare texts."""
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
    """A name under which a cluster makes a port known.

    Attributes:
        audience: whom it is for: everybody, also outside the cluster; the namespaces of applications; the
            namespaces that may query the stores.
    """

    audience: Literal["everybody", "clients", "readers"] = "clients"
