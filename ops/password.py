"""Grafana's admin password, from the stack's encrypted state or from the Secret that the settings name."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ops.errors import OpsError
from ops.session import Session

RESOURCE = "grafana-admin-password"


def grafana_password(session: Session) -> str:
    """Read the password of Grafana's administrator.

    Raises:
        OpsError: the stack is not up, its secrets cannot be decrypted, or the Secret cannot be read.
    """
    kept_elsewhere = session.site.password()
    if kept_elsewhere is not None:
        return kept_elsewhere
    for resource in session.resources("--show-secrets"):
        if str(resource.get("urn", "")).endswith(f"::{RESOURCE}"):
            return _plaintext((resource.get("outputs") or {}).get("result"))
    raise OpsError(f"the stack {session.stack.name} has no {RESOURCE}", "make up generates it", status=2)


def _plaintext(value: object) -> str:
    """Open the envelope that the engine puts around a secret."""
    if isinstance(value, Mapping) and "plaintext" in value:
        value = json.loads(str(value["plaintext"]))
    if isinstance(value, str):
        return value
    raise OpsError(f"{RESOURCE} cannot be read from the stack's state", "make up completes it")
