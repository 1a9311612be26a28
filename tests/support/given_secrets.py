"""Secrets that a stack's settings name, made as an operator of the cluster would."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from tests.lab.cluster import kubectl

GRAFANA_LOGIN = "grafana-login"


def make_secret(name: str, namespace: str, data: Mapping[str, str]) -> None:
    """Make a Secret with this text by key, or give an existing one this text."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "stringData": dict(data),
    }
    kubectl.apply(json.dumps(manifest))


def make_grafana_login(namespace: str) -> None:
    """Make the one that ``existingSecrets.grafana`` asks for, with values of its own."""
    values = {"admin-password": secrets.token_urlsafe(), "secret-key": secrets.token_urlsafe()}
    make_secret(GRAFANA_LOGIN, namespace, values)
