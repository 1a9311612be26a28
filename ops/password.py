"""Grafana's generated admin password, from the stack's encrypted state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ops.errors import OpsError
from ops.session import Session

RESOURCE = "grafana-admin-password"


def grafana_password(session: Session) -> str:
    """Read the password of Grafana's administrator.

    Raises:
        OpsError: the stack is not up, or its secrets cannot be decrypted.
    """
    if not session.pulumi.exists():
        raise OpsError(f"the stack {session.stack.name} is not up", "run: make up", status=2)
    for resource in session.export("--show-secrets")["deployment"].get("resources", []):
        if str(resource.get("urn", "")).endswith(f"::{RESOURCE}"):
            outputs: Any = resource.get("outputs") or {}
            return _plaintext(outputs.get("result"))
    raise OpsError(f"the stack {session.stack.name} has no {RESOURCE}", "make up generates it", status=2)


def _plaintext(value: object) -> str:
    """Open the envelope that the engine puts around a secret."""
    if isinstance(value, Mapping) and "plaintext" in value:
        return str(json.loads(str(value["plaintext"])))
    if isinstance(value, str):
        return value
    raise OpsError(f"{RESOURCE} cannot be read from the stack's state", "make up completes it")
