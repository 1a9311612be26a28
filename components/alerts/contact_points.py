"""Who is notified of alerts: by Mimir's Alertmanager, and by Grafana."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.alerts.mail import alertmanager_mail, mail_files
from components.sections.alerting import AlertingSection, ContactPoint, SmtpSection
from components.values.documents import Document
from components.values.secret_text import ExistingSecret, SecretText

KEYS: Mapping[str, str] = {"webhook": "url", "slack": "url", "pagerduty": "routing-key"}
"""Type -> key of its Secret."""

SLACK_TEXT = """\
{{ range .Alerts }}*{{ .Annotations.summary }}*
{{ .Annotations.description }}
{{ .Annotations.runbook_url }}
{{ end }}"""
"""What a message says of each alert: Alertmanager's own template for Slack has a title and no text."""

GROUPS = "/alerting/groups?alertmanager=Alertmanager"
"""Grafana's page of what Mimir's Alertmanager has notified of, by the name of its data source."""

ADDRESS = "contact-points.invalid"
"""Stands for addresses that only the Secrets hold: outside the cluster, at a port from the settings."""


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """Whom alerts reach.

    Attributes:
        points: each of them.
        smtp: the server for e-mail, if one of them gets any.
        grafana: address of Grafana, where they look on: nobody outside reaches Alertmanager's.
    """

    points: Sequence[ContactPoint] = ()
    smtp: SmtpSection | None = None
    grafana: str = ""

    @classmethod
    def of(cls, section: AlertingSection, grafana: str = "") -> Contacts:
        """Take them from the settings."""
        smtp = section.smtp if section.sends_mail else None
        return cls(points=section.contact_points, smtp=smtp, grafana=grafana)


def contact_files(contacts: Contacts) -> dict[str, SecretText]:
    """Return the files with the password of e-mail and the addresses: whoever has one can write to it."""
    found: dict[str, SecretText] = {} if contacts.smtp is None else mail_files(contacts.smtp)
    for point in contacts.points:
        if point.secret is not None:
            found[path(point)] = ExistingSecret(name=point.secret, key=KEYS[point.type])
    return found


def contact_calls(contacts: Contacts) -> list[str]:
    """Return what the network policies must allow."""
    found = {f"{ADDRESS}:{point.port}" for point in contacts.points if point.secret is not None}
    if contacts.smtp is not None:
        found.add(f"{contacts.smtp.host}:{contacts.smtp.port}")
    return sorted(found)


def path(point: ContactPoint) -> str:
    """Return the path of a contact point's file."""
    return f"secrets/contact-{point.name}"


def alertmanager_configuration(contacts: Contacts, directory: str) -> Document:
    """Set Alertmanager's configuration file: one receiver and one route for each contact point."""
    document = Document.read("mimir/alertmanager.yaml")
    if contacts.smtp is not None:
        document.set("global", to=alertmanager_mail(contacts.smtp, directory))
    for point in contacts.points:
        document.get("receivers").append(_receiver(point, f"{directory}/{path(point)}", contacts.grafana))
        document.get("route", "routes").append(
            {
                "receiver": point.name,
                "matchers": [f'severity=~"{"|".join(point.severities)}"'],
                "continue": True,
            }
        )
    return document


def grafana_contact_points(points: Sequence[ContactPoint], directory: str) -> Document:
    """Set Grafana's provisioning file of contact points and of who is notified of what."""
    document = Document.read("grafana-cluster/provisioning/alerting/contact-points.yaml")
    if not points:
        return document.set("policies", to=[])
    document.remove("resetPolicies")
    document.set(
        "contactPoints",
        to=[
            {"orgId": 1, "name": point.name, "receivers": [_integration(point, f"{directory}/{path(point)}")]}
            for point in points
        ],
    )
    document.set("policies", 0, "receiver", to=points[0].name)
    document.set(
        "policies",
        0,
        "routes",
        to=[
            {
                "receiver": point.name,
                "object_matchers": [["severity", "=~", "|".join(point.severities)]],
                "continue": True,
            }
            for point in points
        ],
    )
    return document


def _receiver(point: ContactPoint, file: str, grafana: str) -> dict[str, Any]:
    """Return a receiver that is also told when an alert is over, as by Grafana."""
    groups = f"{grafana}{GROUPS}"
    integration: dict[str, dict[str, Any]] = {
        "email": {"to": ", ".join(point.addresses)},
        "webhook": {"url_file": file},
        "slack": {"api_url_file": file, "title_link": groups, "text": SLACK_TEXT},
        "pagerduty": {"routing_key_file": file, "client": "Grafana", "client_url": groups},
    }
    return {
        "name": point.name,
        f"{point.type}_configs": [{**integration[point.type], "send_resolved": True}],
    }


def _integration(point: ContactPoint, file: str) -> dict[str, Any]:
    content = f"$__file{{{file}}}"
    settings: dict[str, dict[str, Any]] = {
        "email": {"addresses": ";".join(point.addresses), "singleEmail": True},
        "webhook": {"url": content},
        "slack": {"url": content},
        "pagerduty": {"integrationKey": content},
    }
    return {"uid": point.name, "type": point.type, "settings": settings[point.type]}
