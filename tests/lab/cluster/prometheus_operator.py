"""The Prometheus Operator with one Prometheus in the cluster, for as long as a drill needs it."""

from __future__ import annotations

import json
from string import Template

from tests.lab import image_table, prometheus_operator
from tests.lab.cluster import kubectl, operators
from tests.lab.progress import step

NAMESPACE = "monitoring"
LABELS = {"release": "kube-prometheus-stack"}
"""What its Prometheus selects ServiceMonitors and rules by."""
_NAME = "cluster"
_PROMETHEUS = next(
    image.reference for image in image_table.STACK_IMAGES if image.reference.startswith("prom/prometheus:")
)
_SECONDS = 240


def up() -> None:
    """Start the operator and wait until its Prometheus answers.

    Raises:
        LabError: when it has not been built, or does not start in time.
    """
    operators.bring_in(prometheus_operator.IMAGES.values())
    with step(f"Prometheus Operator {prometheus_operator.VERSION}"):
        kubectl.apply(_manifest())
        _run("rollout", "status", "deployment/prometheus-operator", f"--timeout={_SECONDS}s")
        _run("wait", "--for=condition=Available", f"prometheus/{_NAME}", f"--timeout={_SECONDS}s")


def down() -> None:
    """Remove it with all it has made."""
    operators.remove(_manifest())


def discover_by(kind: str) -> None:
    """Have its Prometheus find the pods behind Services by ``Endpoints``, or by ``EndpointSlice``."""
    patch = json.dumps({"spec": {"serviceDiscoveryRole": kind}})
    _run("patch", "prometheus", _NAME, "--type=merge", f"--patch={patch}")


def address() -> str:
    """Address of its Prometheus."""
    pod = json.loads(_run("get", "pod", f"prometheus-{_NAME}-0", "--output=json"))
    return f"http://{pod['status']['podIP']}:9090"


def _run(*arguments: str) -> str:
    return kubectl.run(f"--namespace={NAMESPACE}", *arguments)


def _manifest() -> str:
    built = prometheus_operator.IMAGES
    values = {
        "namespace": NAMESPACE,
        "name": _NAME,
        "labels": json.dumps(LABELS),
        "operator": built["operator"].reference,
        "reloader": built["prometheus-config-reloader"].reference,
        "prometheus": _PROMETHEUS,
        "version": _PROMETHEUS.rpartition(":")[2],
    }
    return Template(prometheus_operator.MANIFEST.read_text()).substitute(values)
