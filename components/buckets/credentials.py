"""Whether there are credentials for AWS, as far as this machine tells without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables of AWS's tools, each of which names credentials or where they come from."""

FILES = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
"""Variable that names a file of AWS's tools -> the file's usual name in ``~/.aws``."""

SOURCES = re.compile(
    r"^\s*(aws_access_key_id|credential_process|credential_source|login_session|role_arn|sso_\w+"
    r"|web_identity_token_file)\s*=",
    re.MULTILINE,
)
"""What such a file has, besides a region and such, where it holds credentials or says whence they come."""

METADATA_DISABLED = "AWS_EC2_METADATA_DISABLED"
"""AWS's own variable; ``false`` promises a role even where the machine does not look like an instance."""

MACHINE = Path("/sys/class/dmi/id")


def credentials_findable(environment: Mapping[str, str], machine: Path = MACHINE) -> bool:
    """Tell whether AWS's tools would find credentials; an EC2 instance is taken to have a role.

    Args:
        environment: variables of the process.
        machine: folder in which the kernel describes the machine.
    """
    home = Path(environment.get("HOME") or "~").expanduser() / ".aws"
    files = (Path(environment.get(variable) or home / name) for variable, name in FILES.items())
    return (
        any(environment.get(name) for name in VARIABLES)
        or any(_has_source(file.expanduser()) for file in files)
        or _has_role(environment.get(METADATA_DISABLED), machine)
    )


def _has_source(file: Path) -> bool:
    try:
        return SOURCES.search(file.read_text(errors="replace")) is not None
    except OSError:
        return False


def _has_role(disabled: str | None, machine: Path) -> bool:
    if disabled:
        return disabled.lower() != "true"
    return any(_names_amazon(machine / name) for name in ("sys_vendor", "bios_version"))


def _names_amazon(file: Path) -> bool:
    try:
        return "amazon" in file.read_text().lower()
    except OSError:
        return False
