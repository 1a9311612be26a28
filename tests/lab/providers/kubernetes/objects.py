"""Objects of the API server, of any kind it knows."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes.cluster import Cluster, RefusedError
from tests.lab.providers.kubernetes.naming import identified, identifier, name_of, namespace_of
from tests.lab.providers.kubernetes.ownership import entries, is_created_by

_NOT_FOUND = 404
_CONFLICT = 409

DEFAULT_NAMESPACE = "default"


class UnknownKindError(ProviderError):
    """The API server has no such kind, mostly because a CustomResourceDefinition is missing."""


class ConflictError(ProviderError):
    """Fields belong to somebody else; the message names them and their owners.

    Args:
        values: what was applied.
        causes: the API server's, one for each field.
    """

    def __init__(self, values: Mapping[str, Any], causes: Sequence[Mapping[str, str]]) -> None:
        owners = "; ".join(f"{cause.get('field')}: {cause.get('message')}" for cause in causes)
        super().__init__(
            f"server-side apply of {values['kind']} {name_of(values)} found fields of somebody else: "
            f"{owners}. Leave these fields out of the program (or ignore_changes), or take them over "
            f'with the annotation pulumi.com/patchForce: "true".'
        )
        self._causes = causes

    def is_only_with(self, manager: str) -> bool:
        """True when nobody but this manager owns the fields."""
        return all(f'"{manager}"' in str(cause.get("message")) for cause in self._causes)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where the objects of a kind are: the group and version's path, and the plural name."""

    root: str
    plural: str
    namespaced: bool


class Objects:
    """Creates, applies, reads, lists and deletes objects given as plain mappings."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._lock = threading.Lock()

    def endpoint(self, api_version: str, kind: str) -> Endpoint:
        """Where the API server keeps objects of a kind.

        Raises:
            UnknownKindError: it has none.
        """
        with self._lock:
            if (api_version, kind) not in self._endpoints:
                self._discover(api_version)
            try:
                return self._endpoints[api_version, kind]
            except KeyError:
                raise UnknownKindError(
                    f"the API server has no kind {kind} in {api_version}; if it is a custom resource, its "
                    f"CustomResourceDefinition must be there first."
                ) from None

    def get(self, like: Mapping[str, Any]) -> dict[str, Any] | None:
        """The object of the same kind, namespace and name, None when there is none."""
        try:
            return self._cluster.request("GET", self._path(like))
        except RefusedError as error:
            if error.code == _NOT_FOUND:
                return None
            raise

    def create(self, values: Mapping[str, Any], manager: str, *, dry_run: bool) -> dict[str, Any]:
        """Make an object that must not be there yet."""
        query = [*_mutation(manager, dry_run=dry_run), ("fieldValidation", "Strict")]
        return self._cluster.request("POST", self._folder(values), query, body=dict(values))

    def apply(self, values: Mapping[str, Any], manager: str, *, force: bool, dry_run: bool) -> dict[str, Any]:
        """Apply on the server: fields that are given are set, those no longer given are removed.

        Raises:
            ConflictError: the manager itself does not own a field yet, or somebody else does.
        """
        query = [
            *_mutation(manager, dry_run=dry_run),
            ("fieldValidation", "Strict"),
            ("force", str(force).lower()),
        ]
        content_type = "application/apply-patch+yaml"
        try:
            return self._cluster.request("PATCH", self._path(values), query, dict(values), content_type)
        except RefusedError as error:
            if error.code == _CONFLICT and error.causes:
                raise ConflictError(values, error.causes) from error
            raise

    def own(self, live: Mapping[str, Any], manager: str) -> None:
        """Turn what a manager created into what it applied, so that its next apply can remove fields."""
        if not is_created_by(live, manager):
            return
        applied = [
            {**entry, "operation": "Apply"} if entry in entries(live, manager) else entry
            for entry in live["metadata"]["managedFields"]
        ]
        body = [
            {"op": "replace", "path": "/metadata/managedFields", "value": applied},
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": live["metadata"]["resourceVersion"],
            },
        ]
        self._cluster.request("PATCH", self._path(live), (), body, "application/json-patch+json")

    def relinquish(self, like: Mapping[str, Any], manager: str) -> None:
        """Give up what a manager applied; what nobody else has applied is removed."""
        identity = identified(identifier(like), like["apiVersion"], like["kind"])
        self.apply(identity, manager, force=False, dry_run=False)

    def delete(self, like: Mapping[str, Any], propagation: str) -> None:
        """Ask for an object's removal; no error when it is already gone."""
        try:
            self._cluster.request("DELETE", self._path(like), [("propagationPolicy", propagation)])
        except RefusedError as error:
            if error.code != _NOT_FOUND:
                raise

    def select(
        self, api_version: str, kind: str, namespace: str, selectors: Iterable[tuple[str, str]] = ()
    ) -> list[dict[str, Any]]:
        """The objects of a kind in a namespace; ``selectors`` are query parameters like ``labelSelector``."""
        like = {"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace}}
        items: list[dict[str, Any]] = self._cluster.request("GET", self._folder(like), selectors)["items"]
        return items

    def _path(self, like: Mapping[str, Any]) -> str:
        return f"{self._folder(like)}/{name_of(like)}"

    def _folder(self, like: Mapping[str, Any]) -> str:
        found = self.endpoint(like["apiVersion"], like["kind"])
        if not found.namespaced:
            return f"{found.root}/{found.plural}"
        return f"{found.root}/namespaces/{namespace_of(like) or DEFAULT_NAMESPACE}/{found.plural}"

    def _discover(self, api_version: str) -> None:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            resources = self._cluster.request("GET", root)["resources"]
        except RefusedError as error:
            if error.code == _NOT_FOUND:
                return
            raise
        for resource in resources:
            if "/" not in resource["name"]:
                self._endpoints[api_version, resource["kind"]] = Endpoint(
                    root=root, plural=resource["name"], namespaced=resource["namespaced"]
                )


def _mutation(manager: str, *, dry_run: bool) -> list[tuple[str, str]]:
    return [("fieldManager", manager), *([("dryRun", "All")] if dry_run else [])]
