"""Whose namespace it is: two stacks in one would share names, and claims that ``destroy`` deletes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.platform.manifests.scope import FIELD_MANAGER, OWNER, PART_OF, STACK, owner
from ops.finding import Finding
from ops.kubernetes.claims import is_of_the_stack
from ops.kubernetes.kubectl import Kubectl, KubectlError
from ops.project import Stack
from ops.screen import say

INSTANCE = "app.kubernetes.io/instance"
MOST_NAMED = 5
"""Pods of others that are named one by one, at most."""


def other_owner(kubectl: Kubectl, stack: Stack) -> str | None:
    """Name the stack that owns the namespace, if it is another one.

    A namespace is free if it does not exist, nobody owns it, or it was made before owners were recorded.

    Raises:
        KubectlError: the API server did not say.
    """
    found = _owner(_namespace(kubectl))
    return None if found in (None, _name(stack)) else found


def release(kubectl: Kubectl, stack: Stack) -> None:
    """Free the namespace, which stays, for other stacks; if that fails, say how to."""
    try:
        if _owner(_namespace(kubectl)) == _name(stack):
            kubectl.run(*_freeing(kubectl))
    except KubectlError as error:
        say(f"the namespace is still this stack's ({error.message}): {_free(kubectl)}")


def check_namespace(kubectl: Kubectl, stack: Stack) -> Iterator[Finding]:
    """Is the namespace free for the stack, and does nobody else run anything in it?

    Raises:
        KubectlError: the API server did not say.
    """
    name, found = "namespace", _namespace(kubectl)
    if found is None:
        yield Finding(name=name, found=f"{kubectl.namespace}, to be made")
        return
    had_by = _owner(found)
    if had_by not in (None, _name(stack)):
        advice = f"set kubernetes.namespace to another one; if that stack is gone: {_free(kubectl)}"
        text = f"{kubectl.namespace} belongs to the stack {had_by}"
        yield Finding(name=name, status="fail", found=text, advice=advice)
        return
    pods = kubectl.objects("pods")
    yield from _of_others(kubectl, pods)
    if had_by is None:
        yield from _of_another_environment(kubectl, pods, stack.settings.environment)
    yield Finding(name=name, found=kubectl.namespace)


def _of_others(kubectl: Kubectl, pods: list[Mapping[str, Any]]) -> Iterator[Finding]:
    names = [str(pod["metadata"]["name"]) for pod in pods if not is_of_the_stack(_labels(pod))]
    if not names:
        return
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    yield Finding(
        name="pods of others",
        status="warn",
        found=f"{', '.join(names[:MOST_NAMED])}{more} in {kubectl.namespace}",
        advice="up denies all connections in the namespace but the stack's own (NetworkPolicy deny-all), and "
        "enforces Pod Security restricted there: move them, or set kubernetes.namespace to another one",
    )


def _of_another_environment(
    kubectl: Kubectl, pods: list[Mapping[str, Any]], environment: str
) -> Iterator[Finding]:
    """Tell of pods that only a stack of another environment can have made."""
    labels = [_labels(pod) for pod in pods if _labels(pod).get(PART_OF) == STACK]
    others = sorted({str(one.get(INSTANCE)) for one in labels} - {environment})
    if others:
        yield Finding(
            name="another stack",
            status="warn",
            found=f"pods of environment {', '.join(others)} in {kubectl.namespace}",
            advice="unless environment has just been changed they are another stack's: set "
            "kubernetes.namespace to another one, for make destroy deletes all claims in it",
        )


def _namespace(kubectl: Kubectl) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = kubectl.json("get", "namespace", kubectl.namespace)
    except KubectlError as error:
        if error.absent:
            return None
        raise
    return found


def _owner(namespace: Mapping[str, Any] | None) -> str | None:
    annotations = (namespace or {}).get("metadata", {}).get("annotations") or {}
    return annotations.get(OWNER)


def _name(stack: Stack) -> str:
    return owner(stack.project, stack.name)


def _free(kubectl: Kubectl) -> str:
    return kubectl.typed(*_freeing(kubectl))


def _freeing(kubectl: Kubectl) -> tuple[str, ...]:
    """Take away both annotations that name the stack: the API server holds another to neither."""
    return ("annotate", "namespace", kubectl.namespace, f"{OWNER}-", f"{FIELD_MANAGER}-")


def _labels(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return found["metadata"].get("labels") or {}
