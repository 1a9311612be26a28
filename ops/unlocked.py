"""A stack's file for previews by people who have neither its passphrase nor an account of its cloud."""

from __future__ import annotations

from typing import Any

import yaml

from components.sections.phase_numbers import ON_OBJECT_STORAGE
from ops.project import Stack, shut
from ops.stack_config import keys_of


def unlocked_file(stack: Stack) -> str:
    """Give the stack's configuration without salt and key, with a placeholder for each secret.

    The engine decrypts all secrets before it runs a program, so it accepts the file of a stack with secrets
    only from those who have the passphrase. For buckets on AWS, nobody checks whose credentials these are.
    """
    config: dict[str, Any] = shut(yaml.safe_load(stack.file.read_text()).get("config") or {})
    settings = stack.settings
    on_aws = settings.phase >= ON_OBJECT_STORAGE and settings.object_storage.provider == "aws"
    if on_aws or settings.buckets_wait:
        key = f"{stack.project}:objectStorage"
        section = keys_of(config[key]) or {}
        aws = {**(section.get("aws") or {}), "checkCredentials": False}
        config[key] = {**section, "aws": aws}
    return yaml.safe_dump({"config": config}, sort_keys=False)
