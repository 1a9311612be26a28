"""kubeconform, as strict as it can be, with the schemas of the lab's cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab import cache, schemas
from tests.lab.errors import LabError
from tests.support.lab import missing


def kubeconform(path: Path) -> str:
    """Give what it finds wrong in a file or below a folder; nothing when all is well."""
    try:
        program = cache.binary("kubeconform")
    except LabError as error:
        missing(str(error))
    if not schemas.are_made():
        missing(f"no JSON schemas of Kubernetes in {schemas.folder()}. Run: python -m tests.lab prepare")
    command: list[str | Path] = [program, "-strict", "-schema-location", schemas.location(), path]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode == 0) == (not ended.stdout), ended.stderr
    return ended.stdout + ended.stderr
