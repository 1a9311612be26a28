"""Traefik in the cluster, for as long as a drill needs it."""

from __future__ import annotations

import json
from string import Template

from tests.lab import traefik
from tests.lab.cluster import kubectl, operators
from tests.lab.progress import step

ADDRESS = "10.96.0.80"
"""Of its Service: names used from outside resolve to it."""
CLIENTS = {"otel-stack.example/audience": "clients"}
"""Labels of its namespace."""
_SECONDS = 120


def up() -> None:
    """Start Traefik and wait until it answers.

    Raises:
        LabError: when it has not been built, or does not start in time.
    """
    operators.bring_in([traefik.IMAGE])
    with step(f"Traefik {traefik.VERSION}"):
        kubectl.apply(_manifest())
        ready = ("rollout", "status", "deployment/traefik", f"--timeout={_SECONDS}s")
        kubectl.run("-n", "traefik", *ready)


def down() -> None:
    """Remove it with all it has made."""
    operators.remove(_manifest())


def _manifest() -> str:
    text = traefik.MANIFEST.read_text()
    values = {"image": traefik.IMAGE.reference, "address": ADDRESS, "labels": json.dumps(CLIENTS)}
    return Template(text).substitute(values)
