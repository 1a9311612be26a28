"""Secrets as programs get them: the stack's own, or managed by others."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class ExistingSecret:
    """A value in a secret that others manage on the platform.

    Attributes:
        name: name of the secret.
        key: key of the value.
    """

    name: str
    key: str


ENCRYPTED = "(encrypted)"
"""Stands for the value of a secret setting where only the engine could read it."""

SecretText = pulumi.Input[str] | ExistingSecret
"""A secret of the stack's own, or a reference to one."""
