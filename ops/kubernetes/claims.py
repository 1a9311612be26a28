"""The stack's PersistentVolumeClaims: they hold its data, and outlive everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.kafka_strimzi import CLUSTER
from components.platform.manifests.scope import PART_OF, STACK
from ops.kubernetes.kubectl import Kubectl
from ops.screen import say

SELECTOR = f"--selector={PART_OF}={STACK}"
"""Selects all that the stack makes; what Strimzi makes for it has labels of Strimzi's own."""

STRIMZI_KAFKA = "kafka"
"""Name of the stack's cluster, which Strimzi writes on its claims."""

REMOVAL_SECONDS = 300.0
"""Longest wait until storage has released the volumes, or Strimzi has removed what it made."""

ASKED_OF_STRIMZI = (
    ("kafkatopics.kafka.strimzi.io", "kafkausers.kafka.strimzi.io"),
    ("kafkas.kafka.strimzi.io", "kafkanodepools.kafka.strimzi.io"),
)
"""In the order in which they can be removed: topics and users need operators, which run only with Kafka."""


def claims(kubectl: Kubectl) -> list[str]:
    """Name the claims.

    Raises:
        KubectlError: the API server did not say.
    """
    found = kubectl.objects("persistentvolumeclaims")
    return [
        str(one["metadata"]["name"]) for one in found if is_of_the_stack(one["metadata"].get("labels") or {})
    ]


def is_of_the_stack(labels: Mapping[str, Any]) -> bool:
    """Tell by its labels whether an object is of a stack, or was made by Strimzi for one."""
    return labels.get(PART_OF) == STACK or labels.get(CLUSTER) == STRIMZI_KAFKA


def remove_claims(kubectl: Kubectl) -> None:
    """Delete the claims and wait until they are gone; whether the data goes too is up to their volumes.

    Raises:
        KubectlError: not all are gone in time.
    """
    names = claims(kubectl)
    if not names:
        return
    say(f"deleting the PersistentVolumeClaims {', '.join(names)}")
    timeout = f"--timeout={REMOVAL_SECONDS:.0f}s"
    kubectl.run("delete", "persistentvolumeclaims", *names, "--wait", timeout, seconds=2 * REMOVAL_SECONDS)
    say(f"the namespace stays: {kubectl.typed('delete', 'namespace', kubectl.namespace)}")


def remove_strimzi_kafka(kubectl: Kubectl) -> None:
    """Delete the stack's Kafka that Strimzi runs, with its topics; the claims of its brokers stay.

    Raises:
        KubectlError: not all is gone in time; without a running operator, topics are never removed.
    """
    for kinds in ASKED_OF_STRIMZI:
        say(f"deleting the stack's {', '.join(kind.partition('.')[0] for kind in kinds)}")
        timeout = f"--timeout={REMOVAL_SECONDS:.0f}s"
        arguments = ("delete", ",".join(kinds), SELECTOR, "--ignore-not-found", "--wait", timeout)
        kubectl.run(*arguments, seconds=2 * REMOVAL_SECONDS)
