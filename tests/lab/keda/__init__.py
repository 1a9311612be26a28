"""KEDA, which only drills use: ``python -m tests.lab operators`` builds it, ``prepare`` does not."""

from __future__ import annotations

from pathlib import Path

from tests.lab import programs
from tests.lab.goprogram import GoProgram
from tests.lab.images import LabImage
from tests.lab.rootfs import RootFs

OPERATOR, SERVERS = (Path(__file__).parent / name for name in ("operator.yaml", "servers.yaml"))
VERSION = "2.21.0"
_MODULE = "github.com/kedacore/keda/v2"
_IMAGES = {
    "operator": "ghcr.io/kedacore/keda",
    "adapter": "ghcr.io/kedacore/keda-metrics-apiserver",
    "webhooks": "ghcr.io/kedacore/keda-admission-webhooks",
}
"""Main package below ``cmd`` -> the official image."""

PROGRAM = GoProgram(
    name="keda",
    version=VERSION,
    module=_MODULE,
    module_version=f"v{VERSION}",
    binaries={name: f"{_MODULE}/cmd/{name}" for name in _IMAGES},
    phase=3,
    strings={f"{_MODULE}/version.Version": VERSION},
    disk_gb=0.35,
    scratch_gb=4.3,
)


def _image(name: str) -> LabImage:
    def contents(root: RootFs) -> None:
        root.program(name, programs.program_folder(PROGRAM.name, VERSION) / name)
        root.directory("tmp", mode=0o1777)

    return LabImage(
        reference=f"{_IMAGES[name]}:{VERSION}",
        holds=f"keda's {name} {VERSION}",
        phase=3,
        user="1000",
        contents=contents,
        recipe=lambda: PROGRAM.recipe,
        entrypoint=(f"/{name}",),
    )


IMAGES = {name: _image(name) for name in _IMAGES}
"""Name in the manifest -> image."""
