"""What the programs that only drills run in the cluster have in common."""

from __future__ import annotations

from collections.abc import Collection

from tests.lab import engine, images
from tests.lab.cluster import kubectl, lifecycle
from tests.lab.errors import LabError
from tests.lab.images import LabImage


def bring_in(wanted: Collection[LabImage]) -> None:
    """Have the cluster hold images that are built for drills only.

    Raises:
        LabError: when one of them has not been built.
    """
    if lacking := images.missing(engine.client(), wanted):
        names = ", ".join(image.reference for image in lacking)
        raise LabError(f"not built: {names}. Run: python -m tests.lab operators")
    lifecycle.import_images([image.reference for image in wanted])


def remove(manifest: str) -> None:
    """Remove all that a manifest has made; objects that only its program can finalize must be gone before."""
    kubectl.run("delete", "--ignore-not-found", "--timeout=120s", "-f", "-", text=manifest)
