"""What tests need from the machine: the Pulumi CLI, a Docker Engine, images.

A missing part skips the tests that need it and says why; in CI it fails them, because CI may skip nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from ops.errors import OpsError
from ops.pulumi.toolchain import at_hand

HOW_TO_GET_IT = "make up prepares everything"


def missing(reason: str) -> NoReturn:
    """End a test, or all tests of a fixture, because a part of the machine is missing."""
    if os.environ.get("CI"):
        pytest.fail(f"CI may skip nothing: {reason}", pytrace=False)
    pytest.skip(reason)


def toolchain() -> dict[str, str]:
    """Variables under which ``pulumi`` runs: the official CLI where there is one, else the lab's."""
    try:
        return at_hand()
    except OpsError as error:
        missing(f"{error.message}; {HOW_TO_GET_IT}")


def plugin_folder() -> Path:
    """Where the official CLI keeps the plugins that it has downloaded."""
    home = os.environ.get("PULUMI_HOME")
    return (Path(home) if home else Path.home() / ".pulumi") / "plugins"
