"""What runs in the cluster from the start: DNS, metrics, volumes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from string import Template

from tests.lab import cluster_programs, debian
from tests.lab.cluster import kubectl, layout

_MANIFESTS = Path(__file__).parent / "manifests"
IMAGES = {
    "pause": "registry.k8s.io/pause:3.10",
    "coredns": f"registry.k8s.io/coredns/coredns:v{cluster_programs.COREDNS.version}",
    "metrics_server": (
        f"registry.k8s.io/metrics-server/metrics-server:v{cluster_programs.METRICS_SERVER.version}"
    ),
    "local_path_provisioner": (
        f"rancher/local-path-provisioner:v{cluster_programs.LOCAL_PATH_PROVISIONER.version}"
    ),
    "busybox": "busybox:1.35.0",
}
"""Name in the manifests -> image."""


def manifests() -> str:
    """The resources of all of it, as one YAML text."""
    values = {
        **IMAGES,
        "domain": layout.DOMAIN,
        "dns_address": layout.DNS_ADDRESS,
        "volumes": str(layout.state("volumes")),
    }
    texts = [path.read_text() for path in sorted(_MANIFESTS.glob("*.yaml"))]
    return Template("---\n".join(texts)).substitute(values)


def node_is_ready(name: str = layout.NODE) -> bool:
    """True when a node accepts pods."""
    path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    arguments = ("get", "node", name, "--ignore-not-found", "-o", path)
    return kubectl.run(*arguments) == "True"


def dns_answers() -> bool:
    """True when CoreDNS resolves the API server's name, asked through its Service."""
    name = f"kubernetes.default.svc.{layout.DOMAIN}"
    question: list[str | Path] = [debian.busybox(), "nslookup", name, layout.DNS_ADDRESS]
    answer = subprocess.run(question, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and layout.API_SERVICE_ADDRESS in answer.stdout


def volumes_are_ready() -> bool:
    """True when the volume provisioner runs."""
    return _available("local-path-storage", "local-path-provisioner")


def metrics_are_ready() -> bool:
    """True when the metrics API has the node's metrics."""
    return kubectl.succeeds("top", "node", layout.NODE)


def _available(namespace: str, deployment: str) -> bool:
    path = "jsonpath={.status.availableReplicas}"
    return kubectl.run("-n", namespace, "get", "deployment", deployment, "-o", path) == "1"
