"""Flux, which only drills use: ``python -m tests.lab operators`` builds it, ``prepare`` does not."""

from __future__ import annotations

from pathlib import Path

from tests.lab import programs
from tests.lab.goprogram import GoProgram
from tests.lab.images import LabImage
from tests.lab.rootfs import RootFs

MANIFEST = Path(__file__).parent / "flux.yaml"
VERSION = "1.9.6"
"""Of both controllers; 1.10 needs a newer Go."""
SOURCE, KUSTOMIZE = "source-controller", "kustomize-controller"
MODULES = {f"github.com/fluxcd/{name}": f"v{VERSION}" for name in (SOURCE, KUSTOMIZE)}
"""Most of either is the same libraries: one build takes the same versions for both."""
_ARTIFACT = "github.com/fluxcd/pkg/artifact"
"""They require 0.18.3, which the Go registry lacks."""

PROGRAM = GoProgram(
    name="flux",
    version=VERSION,
    module=f"github.com/fluxcd/{SOURCE}",
    module_version=f"v{VERSION}",
    alongside=MODULES,
    binaries={name: f"github.com/fluxcd/{name}" for name in (SOURCE, KUSTOMIZE)},
    phase=3,
    replaces={_ARTIFACT: f"{_ARTIFACT}@v0.18.0"},
    disk_gb=0.18,
    scratch_gb=4.1,
)


def _image(name: str) -> LabImage:
    def contents(root: RootFs) -> None:
        root.program(f"usr/local/bin/{name}", programs.program_folder(PROGRAM.name, VERSION) / name)
        root.directory("tmp", mode=0o1777)
        root.users({"nobody": (65534, 65534)})

    return LabImage(
        reference=f"ghcr.io/fluxcd/{name}:v{VERSION}",
        holds=f"flux's {name} {VERSION}",
        phase=3,
        user="65534:65534",
        contents=contents,
        recipe=lambda: PROGRAM.recipe,
        entrypoint=(name,),
    )


IMAGES = {name: _image(name) for name in (SOURCE, KUSTOMIZE)}
"""Controller -> image."""
