"""Settings of whom alerts reach."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.sections.forms import STRICT, BaseUrl, TcpPort, Text, Url
from components.sections.kubernetes import ObjectName

ContactName = Annotated[
    str,
    Text(
        r"(?!(nobody|empty)$)[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
        "up to 40 lower-case letters, digits, hyphens, as Grafana accepts; not nobody or empty, which Mimir "
        "and Grafana use themselves",
    ),
]

Severities = Annotated[tuple[Literal["critical", "warning"], ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ContactPoint:
    """Somebody who is notified of alerts.

    Attributes:
        name: unique name of the contact point.
        type: how they are notified.
        secret: Secret in the namespace, key ``url`` for ``webhook`` and ``slack``, ``routing-key`` for
            ``pagerduty``.
        severities: alerts that they are notified of, by label ``severity``; all of them by default.
        port: TCP port of the address, which the cluster's policies must allow.
    """

    name: ContactName
    type: Literal["webhook", "slack", "pagerduty"]
    secret: ObjectName
    severities: Severities = ("critical", "warning")
    port: TcpPort = 443


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AlertingSection:
    """Who is notified of alerts, and where the runbooks are.

    Attributes:
        alertmanagers: existing Alertmanagers to which Prometheus sends its alerts in phases 1 to 3. Without
            login, and with a certificate of a public authority if with ``https``.
        contact_points: phase 4: used by Grafana, and by Mimir's Alertmanager for the rules of Mimir and Loki.
        runbooks_url: URL at which you publish ``docs/``, for runbook links in the alerts of all phases;
            without it they are paths in ``docs/``.
    """

    alertmanagers: tuple[BaseUrl, ...] = ()
    contact_points: tuple[ContactPoint, ...] = ()
    runbooks_url: Url | None = None
