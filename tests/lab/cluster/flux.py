"""Flux in the cluster, for as long as a drill needs it."""

from __future__ import annotations

from string import Template

from tests.lab import flux
from tests.lab.cluster import kubectl, layout, operators
from tests.lab.progress import step

NAMESPACE = "flux-system"
_SECONDS = 180


def up() -> None:
    """Start Flux and wait until its controllers are ready.

    Raises:
        LabError: when it has not been built, or does not start in time.
    """
    operators.bring_in(flux.IMAGES.values())
    with step(f"Flux {flux.VERSION}"):
        kubectl.apply(_manifest())
        for name in flux.IMAGES:
            kubectl.run("-n", NAMESPACE, "rollout", "status", f"deployment/{name}", f"--timeout={_SECONDS}s")


def down() -> None:
    """Remove it with all it has made; objects that only it can finalize must be gone before."""
    operators.remove(_manifest())


def _manifest() -> str:
    names = {name.partition("-")[0]: image.reference for name, image in flux.IMAGES.items()}
    return Template(flux.MANIFEST.read_text()).substitute(names, domain=layout.DOMAIN)
