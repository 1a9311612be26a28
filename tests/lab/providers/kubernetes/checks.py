"""What is decided about an object before anything is made: its full inputs, and what an update would mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2 as pb

from tests.lab.providers.kubernetes import diff, naming
from tests.lab.providers.kubernetes.force_new import force_new, replaces
from tests.lab.providers.kubernetes.kinds import Kind
from tests.lab.providers.kubernetes.objects import DEFAULT_NAMESPACE
from tests.lab.providers.kubernetes.settings import Settings
from tests.lab.providers.resource import Diff


def checked(
    kind: Kind, news: Mapping[str, Any], olds: Mapping[str, Any], namespace: str, request: pb.CheckRequest
) -> dict[str, Any]:
    """The inputs with version, kind, name and, when ``namespace`` is not empty, that one filled in."""
    typed = {"apiVersion": kind.api_version, "kind": kind.name, **news}
    resource = request.urn.split("::", 3)[3]
    return naming.with_namespace(naming.named(typed, olds, resource, request), namespace)


def compared(
    kind: Kind,
    settings: Settings,
    state: Mapping[str, Any],
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
) -> Diff:
    """What differs between old and new inputs, and whether that needs a new object.

    The old object is deleted first where both would have the same name, chosen by the program.
    """
    patterns = force_new(kind, news, settings)
    found = diff.changes(
        _comparable(olds), _comparable(news), lambda path, value: replaces(patterns, path, value)
    )
    is_chosen = not naming.is_annotated(news, naming.AUTONAMED)
    return Diff(
        changes=tuple(found),
        delete_before_replace=any(change.replaces for change in found)
        and is_chosen
        and _place(news) == _place(state),
    )


def _place(values: Mapping[str, Any]) -> tuple[str, str]:
    return naming.name_of(values), naming.namespace_of(values) or DEFAULT_NAMESPACE


def _comparable(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with the namespace written out, so that leaving out the default one is not a change."""
    return naming.with_namespace(dict(values), DEFAULT_NAMESPACE)
