"""A stack's file for previews by people who do not have its passphrase."""

from __future__ import annotations

from typing import Any

import yaml

from ops.project import Stack, shut


def unlocked_file(stack: Stack) -> str:
    """Give the stack's configuration without salt and key, with a placeholder for each secret.

    The engine decrypts all secrets before it runs a program, so it accepts the file of a stack with secrets
    only from those who have the passphrase.
    """
    config: dict[str, Any] = shut(yaml.safe_load(stack.file.read_text()).get("config") or {})
    return yaml.safe_dump({"config": config}, sort_keys=False)
