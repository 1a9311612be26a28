"""Traefik, which only drills use: ``python -m tests.lab operators`` builds it, ``prepare`` does not."""

from __future__ import annotations

from pathlib import Path

from tests.lab import programs
from tests.lab.goprogram import GoProgram
from tests.lab.images import LabImage
from tests.lab.rootfs import RootFs

MANIFEST = Path(__file__).parent / "traefik.yaml"
VERSION = "3.6.12"
"""Of 3.7 the Go registry lacks a module that it needs."""
_MODULE = "github.com/traefik/traefik/v3"

PROGRAM = GoProgram(
    name="traefik",
    version=VERSION,
    module=_MODULE,
    module_version=f"v{VERSION}",
    binaries={"traefik": f"{_MODULE}/cmd/traefik"},
    phase=3,
    strings={f"{_MODULE}/pkg/version.Version": VERSION},
    disk_gb=0.36,
    scratch_gb=5.0,
)


def _contents(root: RootFs) -> None:
    root.program("traefik", programs.program_folder(PROGRAM.name, VERSION) / "traefik")
    root.directory("tmp", mode=0o1777)


IMAGE = LabImage(
    reference=f"traefik:v{VERSION}",
    holds=f"traefik {VERSION}",
    phase=3,
    user="65532",
    contents=_contents,
    recipe=lambda: PROGRAM.recipe,
    entrypoint=("/traefik",),
)
