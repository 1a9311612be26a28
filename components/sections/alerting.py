"""Settings of whom alerts reach."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, BaseUrl, HostName, MailAddress, TcpPort, Text, Url
from components.sections.kubernetes import ObjectName

ContactName = Annotated[
    str,
    Text(
        r"(?!(nobody|empty)$)[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
        "up to 40 lower-case letters, digits, hyphens, as Grafana accepts; not nobody or empty, which Mimir "
        "and Grafana use themselves",
    ),
]

SmtpUser = Annotated[str, Text(r"[!-#%-~]{1,256}", "1 to 256 ASCII characters, without spaces and $")]

IMPLICIT_TLS = 465
"""The port on which Mimir and Grafana begin an SMTP connection with TLS."""

Severities = Annotated[tuple[Literal["critical", "warning"], ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ContactPoint:
    """Somebody who is notified of alerts.

    Attributes:
        name: unique name of the contact point.
        type: how they are notified.
        secret: Secret in the namespace, key ``url`` for ``webhook`` and ``slack``, ``routing-key`` for
            ``pagerduty``; none for ``email``.
        addresses: for ``email``: who gets it.
        severities: alerts that they are notified of, by label ``severity``; all of them by default.
        port: TCP port of the address, which the cluster's policies must allow; ``email`` has that of
            ``alerting.smtp``.
    """

    name: ContactName
    type: Literal["webhook", "slack", "pagerduty", "email"]
    secret: ObjectName | None = None
    addresses: tuple[MailAddress, ...] = ()
    severities: Severities = ("critical", "warning")
    port: TcpPort = 443


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SmtpSection:
    """The server that takes the stack's e-mail.

    Attributes:
        host: its name, for which its certificate is, by a public authority.
        port: its port; on 465 TLS begins with the connection, on others with STARTTLS.
        from_address: sender of the e-mail.
        username: login, if it asks for one.
        password_secret: Secret in the stack's namespace with key ``password``; required with ``username``.
        tls: send nothing without TLS; otherwise none is used.
    """

    host: HostName
    port: TcpPort = 587
    from_address: MailAddress
    username: SmtpUser | None = None
    password_secret: ObjectName | None = None
    tls: bool = True


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AlertingSection:
    """Who is notified of alerts, and where the runbooks are.

    Attributes:
        alertmanagers: existing Alertmanagers to which Prometheus sends its alerts in phases 1 to 3. Without
            login, and with a certificate of a public authority if with ``https``.
        contact_points: phase 4: used by Grafana, and by Mimir's Alertmanager for the rules of Mimir and Loki.
        smtp: server for contact points of type ``email``.
        runbooks_url: URL at which you publish ``docs/``, for runbook links in the alerts of all phases;
            without it they are paths in ``docs/``.
    """

    alertmanagers: tuple[BaseUrl, ...] = ()
    contact_points: tuple[ContactPoint, ...] = ()
    smtp: SmtpSection | None = None
    runbooks_url: Url | None = None

    @property
    def sends_mail(self) -> bool:
        """Whether somebody is notified by e-mail."""
        return any(point.type == "email" for point in self.contact_points)
