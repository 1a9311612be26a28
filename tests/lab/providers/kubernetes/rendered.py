"""Objects as files: ``renderYamlToDirectory``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lab.providers.kubernetes import render
from tests.lab.providers.kubernetes.backend import Backend, Call, Found, recorded
from tests.lab.providers.kubernetes.host import Host
from tests.lab.providers.kubernetes.kinds import Kind
from tests.lab.providers.kubernetes.naming import field_manager, identifier
from tests.lab.providers.resource import Made


class Rendered(Backend):
    """Writes and removes files below a folder; no cluster is contacted, and nothing is awaited."""

    def __init__(self, folder: Path, host: Host) -> None:
        self._folder = folder
        self._host = host

    def is_namespaced(self, kind: Kind) -> bool:
        return kind.namespaced is True

    def planned(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return inputs

    def updated(self, state: dict[str, Any], news: dict[str, Any], call: Call) -> dict[str, Any]:
        del state, call
        return news

    def create(self, inputs: dict[str, Any], call: Call) -> Made:
        return Made(resource_id=identifier(inputs), outputs=self._written(inputs, {}, call))

    def read(
        self, resource_id: str, kind: Kind, inputs: dict[str, Any], state: dict[str, Any]
    ) -> Found | None:
        del resource_id, kind
        return Found(outputs=state, inputs=inputs)

    def update(
        self, resource_id: str, state: dict[str, Any], news: dict[str, Any], call: Call
    ) -> dict[str, Any]:
        del resource_id
        return self._written(news, state, call)

    def delete(self, state: dict[str, Any], call: Call) -> None:
        render.remove(self._folder, state)
        self._host.status(call.urn, f"deleted {render.path(self._folder, state)}")

    def _written(self, values: dict[str, Any], state: dict[str, Any], call: Call) -> dict[str, Any]:
        file = render.path(self._folder, values)
        if values["kind"] == "Secret":
            self._host.warn(call.urn, f"rendered file {file} contains a secret value in plaintext")
        render.write(self._folder, values)
        self._host.status(call.urn, f"rendered {file}")
        return recorded(values, field_manager(values, state))
