"""A Kafka that is not the stack's, in a namespace of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from components.images import CATALOGUE
from tests.lab.cluster import kubectl
from tests.lab.errors import LabError
from tests.support.external_kafka import CONFIG, NAME, PORT, ExternalKafka, certificate, properties

NAMESPACE = "somebody"
_METADATA = {"name": NAME, "namespace": NAMESPACE}


@contextmanager
def running() -> Iterator[ExternalKafka]:
    """Run it; its namespace is deleted after the block."""
    host = f"{NAME}.{NAMESPACE}.svc"
    known = certificate(host)
    kubectl.apply(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": _objects(properties(host, known))})
    )
    try:
        made = ExternalKafka(host=host, execute=_run, known=known)
        made.begin()
        yield made
    finally:
        kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")


def _objects(settings: str) -> list[dict[str, Any]]:
    labels = {"app": NAME}
    pod = {
        "containers": [
            {
                "name": "kafka",
                "image": CATALOGUE["kafka"].reference,
                "volumeMounts": [{"name": "settings", "mountPath": CONFIG}],
            }
        ],
        "volumes": [{"name": "settings", "secret": {"secretName": NAME}}],
    }
    service = {"selector": labels, "ports": [{"name": "kafka", "port": PORT}]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": _METADATA,
            "stringData": {"server.properties": settings},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**_METADATA, "labels": labels}, "spec": pod},
        {"apiVersion": "v1", "kind": "Service", "metadata": _METADATA, "spec": service},
    ]


def _run(command: Sequence[str]) -> str:
    try:
        return kubectl.run(f"--namespace={NAMESPACE}", "exec", NAME, "--", *command)
    except LabError as error:
        raise AssertionError(str(error)) from error
