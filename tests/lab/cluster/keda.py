"""KEDA in the cluster, for as long as a drill needs it."""

from __future__ import annotations

from string import Template

from tests.lab import engine, images, keda
from tests.lab.cluster import kubectl, layout, lifecycle, waits
from tests.lab.errors import LabError
from tests.lab.progress import step

_PROBE = "/apis/external.metrics.k8s.io/v1beta1"
_SECONDS = 240.0
"""The operator makes certificates, and the kubelet takes a minute or two to give them to the others."""


def up() -> None:
    """Start KEDA and wait until it checks objects and gives metrics.

    Raises:
        LabError: when it has not been built, or does not start in time.
    """
    if lacking := images.missing(engine.client(), keda.IMAGES.values()):
        names = ", ".join(image.reference for image in lacking)
        raise LabError(f"not built: {names}. Run: python -m tests.lab operators")
    lifecycle.import_images([image.reference for image in keda.IMAGES.values()])
    with step(f"KEDA {keda.VERSION}"):
        kubectl.apply(_manifest())
        waits.wait("KEDA to be ready", _is_ready, "kubelet", seconds=_SECONDS)


def down() -> None:
    """Remove it with all it has made; objects that only it can end must be gone before."""
    kubectl.run("delete", "--ignore-not-found", "--timeout=120s", "-f", "-", text=_manifest())


def _manifest() -> str:
    names = {name: image.reference for name, image in keda.IMAGES.items()}
    return Template(keda.MANIFEST.read_text()).substitute(names, domain=layout.DOMAIN)


def _is_ready() -> bool:
    ready = "jsonpath={.items[*].status.availableReplicas}"
    counts = kubectl.run("-n", "keda", "get", "deployments", "-o", ready).split()
    bundles = "jsonpath={.webhooks[*].clientConfig.caBundle}"
    checked = kubectl.run("get", "validatingwebhookconfiguration", "keda-admission", "-o", bundles).split()
    return (
        counts == ["1"] * len(keda.IMAGES) and len(checked) > 1 and kubectl.succeeds("get", "--raw", _PROBE)
    )
