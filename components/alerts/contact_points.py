"""Who is notified of alerts: by Mimir's Alertmanager, and by Grafana."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.sections.alerting import ContactPoint
from components.values.documents import Document
from components.values.secret_text import ExistingSecret, SecretText

KEYS: Mapping[str, str] = {"webhook": "url", "slack": "url", "pagerduty": "routing-key"}
"""Type -> key of its Secret."""

ADDRESS = "contact-points.invalid"
"""Stands for addresses that only the Secrets hold: outside the cluster, at a port from the settings."""


def contact_files(points: Sequence[ContactPoint]) -> dict[str, SecretText]:
    """Return the files with the addresses, which are secrets: whoever has one can write to it."""
    return {path(point): ExistingSecret(name=point.secret, key=KEYS[point.type]) for point in points}


def contact_calls(points: Sequence[ContactPoint]) -> list[str]:
    """Return what the network policies must allow."""
    return sorted({f"{ADDRESS}:{point.port}" for point in points})


def path(point: ContactPoint) -> str:
    """Return the path of a contact point's file."""
    return f"secrets/contact-{point.name}"


def alertmanager_configuration(points: Sequence[ContactPoint], directory: str) -> Document:
    """Set Alertmanager's configuration file: one receiver and one route for each contact point."""
    document = Document.read("mimir/alertmanager.yaml")
    for point in points:
        document.get("receivers").append(_receiver(point, f"{directory}/{path(point)}"))
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


def _receiver(point: ContactPoint, file: str) -> dict[str, Any]:
    integration: dict[str, Any] = {
        "webhook": {"webhook_configs": [{"url_file": file}]},
        "slack": {"slack_configs": [{"api_url_file": file}]},
        "pagerduty": {"pagerduty_configs": [{"routing_key_file": file}]},
    }[point.type]
    return {"name": point.name, **integration}


def _integration(point: ContactPoint, file: str) -> dict[str, Any]:
    key = {"webhook": "url", "slack": "url", "pagerduty": "integrationKey"}[point.type]
    return {"uid": point.name, "type": point.type, "settings": {key: f"$__file{{{file}}}"}}
