"""An SMTP server that takes e-mail only over TLS and with a login, and remembers it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from components.sections.alerting import IMPLICIT_TLS
from tests.lab.cluster.pki import Signed


@dataclass(frozen=True, kw_only=True)
class Mail:
    """An e-mail.

    Attributes:
        sender: who the server was told sends it.
        recipients: who it was told gets it.
        message: the e-mail itself.
    """

    sender: str | None
    recipients: list[str]
    message: EmailMessage


@contextmanager
def mailbox(
    host: str, port: int, known: Signed, folder: Path, *, username: str, password: str
) -> Iterator[list[Mail]]:
    """Serve until the end, and give the list of e-mail, which grows.

    Args:
        host: address to listen on.
        port: port to listen on; on 465 TLS begins with the connection, on others with STARTTLS.
        known: the server's certificate.
        folder: empty folder for its files.
        username: the only login that is let in.
        password: its password.
    """
    received: list[Mail] = []

    class Handler:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
            mail = Mail(sender=envelope.mail_from, recipients=envelope.rcpt_tos, message=message)
            received.append(mail)
            return "250 OK"

    def let_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:  # noqa: ARG001
        wanted = LoginPassword(login=username.encode(), password=password.encode())
        return AuthResult(success=login == wanted)

    begins = port == IMPLICIT_TLS
    context = _context(known, folder)
    server = Controller(
        Handler(),
        hostname=host,
        port=port,
        ssl_context=context if begins else None,
        tls_context=None if begins else context,
        require_starttls=not begins,
        authenticator=let_in,
        auth_required=True,
        auth_require_tls=not begins,
        # Asks for the name in words that Alertmanager does not know.
        auth_exclude_mechanism=["LOGIN"],
    )
    server.start()
    try:
        yield received
    finally:
        server.stop()


def _context(known: Signed, folder: Path) -> ssl.SSLContext:
    certificate, key = folder / "server.crt", folder / "server.key"
    certificate.write_text(known.certificate)
    key.write_text(known.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
