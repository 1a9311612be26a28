"""Applications in pods of their own, in a namespace that is not the stack's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from components.images import CATALOGUE
from tests.lab.cluster import kubectl
from tests.support.cluster import Cluster
from tests.support.kubernetes_site import Pod, pod_of
from tests.support.namespaces import let_go
from tests.support.waiting import until

NAMESPACE = "default"
LIFE_SECONDS = 5
END_SECONDS = 180.0


def post(cluster: Cluster, messages: Mapping[str, Mapping[str, Any]]) -> str:
    """Post JSON messages, by address, from a pod that lives for a few seconds; give the pod's name.

    It posts each one every second. Those of its first seconds may be refused, and be nobody's: policies and
    gateways learn of a new pod's address only then.

    Raises:
        AssertionError: one of the last was not answered with 2xx; the message has what the pod wrote.
    """
    name = f"client-{uuid.uuid4().hex[:8]}"
    lines = [
        f"wget -q -O - --header 'Content-Type: application/json' --post-data '{json.dumps(message)}' {url}"
        for url, message in messages.items()
    ]
    kubectl.apply(json.dumps(_manifest(name, NAMESPACE, _each_second(lines))))
    try:
        phase = until("the client's pod to end", lambda: _ended(cluster, name), seconds=END_SECONDS, pause=1)
        said = cluster.kubectl(f"--namespace={NAMESPACE}", "logs", name)
        assert phase == "Succeeded", f"the client's pod {phase.lower()}: {said}"
    finally:
        cluster.kubectl(f"--namespace={NAMESPACE}", "delete", "pod", name, "--wait=false")
    return name


@contextmanager
def waiting(cluster: Cluster, labels: Mapping[str, str]) -> Iterator[Pod]:
    """Give a pod that does nothing, in a new namespace with these labels, let go after the block."""
    name = f"client-{uuid.uuid4().hex[:8]}"
    metadata = {"name": name, "labels": dict(labels)}
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
    try:
        kubectl.apply(json.dumps(_manifest(name, name, "sleep infinity")))
        ready = ("wait", "--for=condition=Ready", "--timeout=120s")
        cluster.kubectl(f"--namespace={name}", *ready, f"pod/{name}")
        yield pod_of(cluster.get("pod", name, f"--namespace={name}"))
    finally:
        let_go(name)


def _each_second(lines: list[str]) -> str:
    return f"for second in $(seq {LIFE_SECONDS}); do sleep 1; {' && '.join(lines)}; done"


def _ended(cluster: Cluster, name: str) -> str:
    phase = cluster.get("pod", name, f"--namespace={NAMESPACE}")["status"]["phase"]
    return str(phase) if phase in {"Succeeded", "Failed"} else ""


def _manifest(name: str, namespace: str, script: str) -> dict[str, Any]:
    image = CATALOGUE["jaeger"]  # has a shell and wget
    container = {
        "name": "client",
        "image": image.reference,
        "command": ["sh", "-c", script],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    user = {"runAsNonRoot": True, "runAsUser": image.uid, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "securityContext": user,
            "containers": [container],
        },
    }
