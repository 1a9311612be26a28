"""The Prometheus Operator, which only drills use: ``python -m tests.lab operators`` builds it."""

from __future__ import annotations

from pathlib import Path

from tests.lab import alpine, programs
from tests.lab.goprogram import GoProgram
from tests.lab.images import LabImage
from tests.lab.rootfs import RootFs

MANIFEST = Path(__file__).parent / "operator.yaml"
VERSION = "0.85.0"
_MODULE = "github.com/prometheus-operator/prometheus-operator"
_IMAGES = {
    "operator": "quay.io/prometheus-operator/prometheus-operator",
    "prometheus-config-reloader": "quay.io/prometheus-operator/prometheus-config-reloader",
}
"""Main package below ``cmd`` -> the official image."""

PROGRAM = GoProgram(
    name="prometheus-operator",
    version=VERSION,
    module=_MODULE,
    module_version=f"v{VERSION}",
    binaries={name: f"{_MODULE}/cmd/{name}" for name in _IMAGES},
    phase=3,
    strings={"github.com/prometheus/common/version.Version": VERSION},
    disk_gb=0.21,
    scratch_gb=1.5,
)


def _image(name: str) -> LabImage:
    def contents(root: RootFs) -> None:
        root.program(f"bin/{name}", programs.program_folder(PROGRAM.name, VERSION) / name)
        alpine.tools(root)

    return LabImage(
        reference=f"{_IMAGES[name]}:v{VERSION}",
        holds=f"the Prometheus Operator's {name} {VERSION}",
        phase=3,
        user="65534",
        contents=contents,
        recipe=lambda: PROGRAM.recipe,
        entrypoint=(f"/bin/{name}",),
    )


IMAGES = {name: _image(name) for name in _IMAGES}
"""Main package below ``cmd`` -> image."""
