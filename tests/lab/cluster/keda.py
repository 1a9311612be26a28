"""KEDA in the cluster, for as long as a drill needs it."""

from __future__ import annotations

import socket
from pathlib import Path
from string import Template

from tests.lab import keda
from tests.lab.cluster import kubectl, layout, operators, waits
from tests.lab.progress import step

_METRICS = "/apis/external.metrics.k8s.io/v1beta1"
_PORT = 9666
_SECONDS = 240.0
"""The operator makes certificates, which the kubelet passes to it after a minute or two."""


def up() -> None:
    """Start KEDA and wait until it checks objects and serves metrics.

    Raises:
        LabError: when it has not been built, or does not start in time.
    """
    operators.bring_in(keda.IMAGES.values())
    with step(f"KEDA {keda.VERSION}"):
        kubectl.apply(_manifest(keda.OPERATOR))
        waits.wait("KEDA's operator to answer", _operator_answers, "kubelet", seconds=_SECONDS)
        kubectl.apply(_manifest(keda.SERVERS))
        waits.wait("KEDA to give metrics", _servers_answer, "kubelet", seconds=_SECONDS)


def down() -> None:
    """Remove it with all it has made; objects that only it can finalize must be gone before."""
    for path in (keda.SERVERS, keda.OPERATOR):
        operators.remove(_manifest(path))


def _manifest(path: Path) -> str:
    names = {name: image.reference for name, image in keda.IMAGES.items()}
    return Template(path.read_text()).substitute(names, domain=layout.DOMAIN)


def _operator_answers() -> bool:
    address = kubectl.run("-n", "keda", "get", "service", "keda-operator", "-o", "jsonpath={.spec.clusterIP}")
    try:
        with socket.create_connection((address, _PORT), timeout=1):
            return True
    except OSError:
        return False


def _servers_answer() -> bool:
    ready = "jsonpath={.items[*].status.availableReplicas}"
    counts = kubectl.run("-n", "keda", "get", "deployments", "-o", ready).split()
    return counts == ["1"] * len(keda.IMAGES) and kubectl.succeeds("get", "--raw", _METRICS)
