"""Calls kubectl as the cluster's administrator."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab import cache
from tests.lab.cluster import layout
from tests.lab.errors import LabError

_FIELD_MANAGER = "otel-stack-lab"


def run(*arguments: str, text: str | None = None) -> str:
    """Run one command and return what it prints; ``text`` is its standard input.

    Raises:
        LabError: with what kubectl says, when it fails.
    """
    result = _call(arguments, text)
    if result.returncode != 0:
        raise LabError(f"kubectl {' '.join(arguments)} failed: {result.stderr.strip()}")
    return result.stdout


def succeeds(*arguments: str) -> bool:
    """True when the command succeeds."""
    return _call(arguments, None).returncode == 0


def apply(manifests: str) -> None:
    """Give the API server these resources, server-side.

    Raises:
        LabError: when it refuses one.
    """
    options = ("--server-side", "--force-conflicts", f"--field-manager={_FIELD_MANAGER}")
    run("apply", *options, "-f", "-", text=manifests)


def _call(arguments: tuple[str, ...], text: str | None) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [cache.binary("kubectl"), f"--kubeconfig={layout.kubeconfig()}", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)
