"""Waits for objects: which kinds, how long, and what is reported when time runs out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from tests.lab.providers.kubernetes import conditions, naming, readiness
from tests.lab.providers.kubernetes.backend import Call
from tests.lab.providers.kubernetes.host import Host
from tests.lab.providers.kubernetes.objects import Objects
from tests.lab.providers.kubernetes.stuck import explained
from tests.lab.providers.kubernetes.waiting import NotReadyError, Pending, Wait, timeout_of, until


class Awaits:
    """Checks objects until they are ready or gone."""

    def __init__(self, objects: Objects, host: Host, cancelled: threading.Event) -> None:
        self._objects = objects
        self._host = host
        self._cancelled = cancelled

    def ready(self, inputs: Mapping[str, Any], live: dict[str, Any], call: Call) -> None:
        """Wait until the object is ready.

        Raises:
            NotReadyError: it is not; the message says which pods are stuck and why.
        """
        latest = live

        def look() -> Pending | None:
            nonlocal latest
            found = self._objects.get(live)
            if found is None:
                return Pending(reason="somebody removed it", failed=True)
            latest = found
            return self._missing(inputs, found)

        if not self._is_awaited(inputs, live):
            return
        try:
            until(look, self._wait(inputs, call))
        except NotReadyError as error:
            name = f"{live['kind']} {naming.identifier(live)}"
            raise NotReadyError(f"{name} is not ready: {error}{explained(latest, self._objects)}") from error

    def pending(self, inputs: Mapping[str, Any], live: Mapping[str, Any]) -> str | None:
        """What the object lacks at this moment, None when it is ready."""
        found = self._missing(inputs, live) if self._is_awaited(inputs, live) else None
        return f"{found.reason}{explained(live, self._objects)}" if found else None

    def gone(self, state: Mapping[str, Any], call: Call) -> None:
        """Wait until the object is gone.

        Raises:
            NotReadyError: it is still there; the message names the finalizers that keep it.
        """

        def look() -> Pending | None:
            found = self._objects.get(state)
            if found is None or found["metadata"].get("uid") != state["metadata"].get("uid"):
                return None
            return Pending(reason="; ".join(["it is being deleted", *_keepers(found)]))

        if naming.is_annotated(state, naming.SKIP_AWAIT):
            return
        try:
            until(look, self._wait(state, call))
        except NotReadyError as error:
            name = f"{state['kind']} {naming.identifier(state)}"
            raise NotReadyError(f"{name} is not gone: {error}{explained(state, self._objects)}") from error

    def _is_awaited(self, inputs: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
        if naming.is_annotated(inputs, naming.SKIP_AWAIT):
            return False
        return bool(naming.annotation(inputs, naming.WAIT_FOR) or readiness.check_for(live))

    def _missing(self, inputs: Mapping[str, Any], live: Mapping[str, Any]) -> Pending | None:
        expression = naming.annotation(inputs, naming.WAIT_FOR)
        if expression:
            return conditions.pending(expression, live)
        check = readiness.check_for(live)
        return check(live, self._objects) if check else None

    def _wait(self, inputs: Mapping[str, Any], call: Call) -> Wait:
        return Wait(
            timeout=timeout_of(inputs, call.timeout),
            cancelled=self._cancelled,
            tell=lambda message: self._host.status(call.urn, message),
        )


def _keepers(values: Mapping[str, Any]) -> Iterator[str]:
    """What keeps an object that is being deleted."""
    finalizers = values["metadata"].get("finalizers", [])
    if finalizers:
        yield f"finalizers: {', '.join(finalizers)}"
    for item in values.get("status", {}).get("conditions") or []:
        if values["kind"] == "Namespace" and item.get("status") == "True":
            yield f"{item.get('type')}: {item.get('message')}"
