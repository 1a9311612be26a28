"""Configuration files as ConfigMaps and Secrets, and the folder in which a pod finds both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.platform.manifests.scope import Manifest
from components.values.secret_text import ExistingSecret
from components.workload import Workload

VOLUME = "config"
READABLE, PRIVATE = 0o644, 0o440
"""File modes. Kafka copies its own files with their mode and then appends to them, so 0444 would not do."""


@dataclass(frozen=True, kw_only=True)
class ConfigObjects:
    """The objects that hold a workload's files.

    Attributes:
        config_map: name of the ConfigMap; None without files.
        secret: name of the stack's own Secret; None without secrets of its own.
    """

    config_map: pulumi.Input[str] | None
    secret: pulumi.Input[str] | None


def config_data(files: Mapping[str, str]) -> dict[str, str]:
    """Return the data of a ConfigMap: text by key."""
    return {key(path): content for path, content in sorted(files.items())}


def own_secrets(workload: Workload) -> dict[str, pulumi.Input[str]]:
    """Return the data of a workload's own Secret: text by key."""
    return {key(path): content for path, content in _own(workload)}


def config_volume(workload: Workload, objects: ConfigObjects) -> Manifest:
    """Return the volume with all files, each at its path."""
    sources: list[Manifest] = []
    if objects.config_map is not None:
        items = [_item(key(path), path, READABLE) for path in sorted(workload.files)]
        sources.append({"configMap": {"name": objects.config_map, "items": items}})
    if objects.secret is not None:
        items = [_item(key(path), path, PRIVATE) for path, _ in _own(workload)]
        sources.append({"secret": {"name": objects.secret, "items": items}})
    sources += [
        {"secret": {"name": name, "items": items}} for name, items in sorted(_existing(workload).items())
    ]
    return {"name": VOLUME, "projected": {"defaultMode": READABLE, "sources": sources}}


def key(path: str) -> str:
    """Write a path as a key, which may not contain a slash."""
    return path.replace("/", "__")


def _item(name: str, path: str, mode: int) -> Manifest:
    return {"key": name, "path": path, "mode": mode}


def _own(workload: Workload) -> list[tuple[str, pulumi.Input[str]]]:
    return [
        (path, content)
        for path, content in sorted(workload.secret_files.items())
        if not isinstance(content, ExistingSecret)
    ]


def _existing(workload: Workload) -> Mapping[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = defaultdict(list)
    for path, content in sorted(workload.secret_files.items()):
        if isinstance(content, ExistingSecret):
            found[content.name].append(_item(content.key, path, PRIVATE))
    return found
