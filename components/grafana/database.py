"""How programs reach a database."""

from __future__ import annotations

from dataclasses import dataclass

from components.sections.postgres import PostgresSection
from components.values.secret_text import ExistingSecret, SecretText


@dataclass(frozen=True, kw_only=True)
class Database:
    """How a program reaches its database.

    Attributes:
        host: name of the server.
        port: its port.
        name: the database.
        username: its owner.
        password: the owner's password.
        tls: libpq's mode: ``disable``, ``require`` or ``verify-full``.
        authority: CA that signs the server's certificate; public CAs by default.
    """

    host: str
    port: int
    name: str
    username: str
    password: SecretText
    tls: str
    authority: ExistingSecret | None = None

    @property
    def address(self) -> str:
        """``host:port`` of the server."""
        return f"{self.host}:{self.port}"


def external_database(section: PostgresSection) -> Database:
    """Describe an existing database.

    Raises:
        ValueError: the settings have not been checked; they name no host or no password.
    """
    if section.host is None or section.password_secret is None:
        raise ValueError("an external database needs postgres.host and postgres.passwordSecret")
    authority = None
    if section.ca_secret is not None:
        authority = ExistingSecret(name=section.ca_secret, key="ca.crt")
    return Database(
        host=section.host,
        port=section.port,
        name=section.database,
        username=section.username,
        password=ExistingSecret(name=section.password_secret, key="password"),
        tls=section.tls,
        authority=authority,
    )
