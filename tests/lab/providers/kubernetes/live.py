"""Objects of an API server: made, applied, awaited, read and removed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import tenacity

from tests.lab.providers import wire
from tests.lab.providers.errors import InitializationError, ProviderError
from tests.lab.providers.kubernetes import naming
from tests.lab.providers.kubernetes.awaits import Awaits
from tests.lab.providers.kubernetes.backend import MANAGER_KEY, Backend, Call, Found, imported, recorded
from tests.lab.providers.kubernetes.cluster import Cluster, RefusedError
from tests.lab.providers.kubernetes.diff import drifted
from tests.lab.providers.kubernetes.kinds import Kind
from tests.lab.providers.kubernetes.objects import ConflictError, Objects, UnknownKindError
from tests.lab.providers.kubernetes.ownership import without_ignored
from tests.lab.providers.kubernetes.settings import Settings
from tests.lab.providers.kubernetes.waiting import NotReadyError
from tests.lab.providers.resource import Made

_NOT_PREVIEWED = frozenset({403, 404, 409})
"""Answers to a dry run that say nothing about the update: forbidden, namespace to come, to be replaced."""

_ATTEMPTS = 5
"""For a creation whose namespace or CustomResourceDefinition is not there yet; the official plugin's."""

_EXISTS = 409
_NOT_FOUND = 404


class Live(Backend):
    """Keeps objects in a cluster."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        objects: Objects,
        awaits: Awaits,
        cancelled: threading.Event,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._objects = objects
        self._awaits = awaits
        self._cancelled = cancelled

    def is_namespaced(self, kind: Kind) -> bool:
        if kind.namespaced is not None:
            return kind.namespaced
        try:
            return self._objects.endpoint(kind.api_version, kind.name).namespaced
        except ProviderError:
            return True  # corrected by the API server's path when it is made

    def planned(self, inputs: dict[str, Any]) -> dict[str, Any]:
        manager = naming.field_manager(inputs, {})
        return self._previewed(inputs, lambda: self._put(inputs, manager, dry_run=True))

    def updated(self, state: dict[str, Any], news: dict[str, Any], call: Call) -> dict[str, Any]:
        return self._previewed(news, lambda: self._dry_applied(state, news, call))

    def create(self, inputs: dict[str, Any], call: Call) -> Made:
        manager = naming.field_manager(inputs, {})
        live = self._made(inputs, manager)
        return Made(
            resource_id=naming.identifier(live),
            outputs=self._ready(inputs, live, manager, call),
        )

    def update(
        self, resource_id: str, state: dict[str, Any], news: dict[str, Any], call: Call
    ) -> dict[str, Any]:
        manager = naming.field_manager(news, state)
        former = str(state.get(MANAGER_KEY) or manager)
        before = self._objects.get(state)
        if before is None:
            raise ProviderError(
                f"{news['kind']} {resource_id} is gone; tell Pulumi with: pulumi refresh; then update again."
            )
        self._objects.own(before, former)
        given = without_ignored(news, before, manager, call.ignored)
        live = self._objects.apply(given, manager, force=self._is_forced(news), dry_run=False)
        outputs = self._ready(news, live, manager, call)
        if former != manager:
            self._objects.relinquish(live, former)
        return outputs

    def read(
        self, resource_id: str, kind: Kind, inputs: dict[str, Any], state: dict[str, Any]
    ) -> Found | None:
        problem = self._cluster.problem()
        if problem is not None and self._settings.delete_unreachable:
            return None
        if problem is not None and self._settings.skip_update_unreachable:
            return Found(outputs=state, inputs=inputs)
        try:
            live = self._objects.get(naming.identified(resource_id, kind.api_version, kind.name))
        except UnknownKindError:
            return None
        if live is None:
            return None
        outputs = recorded(live, naming.field_manager(inputs, state))
        if not inputs:
            return Found(outputs=outputs, inputs=imported(live))
        found = Found(outputs=outputs, inputs=drifted(inputs, state, live))
        pending = self._awaits.pending(inputs, live)
        if pending is not None:
            raise InitializationError(
                f"{kind.name} {resource_id} is not ready: {pending}",
                resource_id=resource_id,
                outputs=found.outputs,
                inputs=found.inputs,
            )
        return found

    def delete(self, state: dict[str, Any], call: Call) -> None:
        if self._cluster.problem() is not None and self._settings.delete_unreachable:
            return
        try:
            self._objects.delete(state, _propagation(state))
            self._awaits.gone(state, call)
        except UnknownKindError:
            return

    def _previewed(self, inputs: dict[str, Any], ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The API server's answer to a dry run, else the inputs as they are."""
        if wire.has_unknown(inputs) or self._cluster.problem() is not None:
            return inputs
        try:
            answer = ask()
        except UnknownKindError:
            return inputs
        except RefusedError as error:
            if error.code in _NOT_PREVIEWED:
                return inputs
            raise
        return {name: value for name, value in answer.items() if name != "status"}

    def _made(self, inputs: dict[str, Any], manager: str) -> dict[str, Any]:
        try:
            return self._patiently(lambda: self._put(inputs, manager, dry_run=False))
        except RefusedError as error:
            name = f"{inputs['kind']} {naming.identifier(inputs)}"
            if error.code == _EXISTS and error.reason == "AlreadyExists":
                raise ProviderError(
                    f"{name} already exists and is not of this stack: remove it, import it, or choose "
                    f"another name."
                ) from error
            raise ProviderError(f"the API server refused {name}: {error}") from error

    def _put(self, inputs: dict[str, Any], manager: str, *, dry_run: bool) -> dict[str, Any]:
        if self._settings.upsert:
            return self._objects.apply(inputs, manager, force=self._is_forced(inputs), dry_run=dry_run)
        return self._objects.create(inputs, manager, dry_run=dry_run)

    def _patiently(self, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_come),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_exponential(multiplier=1, max=8),
            sleep=tenacity.sleep_using_event(self._cancelled),
            reraise=True,
        )
        return attempts(make)

    def _dry_applied(self, state: Mapping[str, Any], news: dict[str, Any], call: Call) -> dict[str, Any]:
        manager = naming.field_manager(news, state)
        before = self._objects.get(state)
        if before is None:
            return news
        given = without_ignored(news, before, manager, call.ignored)
        try:
            return self._objects.apply(given, manager, force=self._is_forced(news), dry_run=True)
        except ConflictError as error:
            if not error.is_only_with(manager):
                raise
        # the update itself first takes over what it created, which a dry run cannot
        return self._objects.apply(given, manager, force=True, dry_run=True)

    def _is_forced(self, inputs: Mapping[str, Any]) -> bool:
        return self._settings.patch_force or naming.is_annotated(inputs, naming.FORCE)

    def _ready(
        self, inputs: dict[str, Any], live: dict[str, Any], manager: str, call: Call
    ) -> dict[str, Any]:
        problem = None
        try:
            self._awaits.ready(inputs, live, call)
        except NotReadyError as error:
            problem = error
        now = recorded(self._objects.get(live) or live, manager)
        if problem is not None:
            raise InitializationError(
                str(problem), resource_id=naming.identifier(live), outputs=now
            ) from problem
        return now


def _propagation(state: Mapping[str, Any]) -> str:
    chosen = naming.annotation(state, naming.PROPAGATION).capitalize()
    return chosen if chosen in ("Orphan", "Background") else "Foreground"


def _may_come(error: BaseException) -> bool:
    is_missing = isinstance(error, RefusedError) and error.code == _NOT_FOUND
    return is_missing or isinstance(error, UnknownKindError)
