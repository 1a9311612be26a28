"""Objects as YAML files of a folder, named as the official plugin names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes.naming import name_of, namespace_of

_DEFINITIONS = "0-crd"
_MANIFESTS = "1-manifest"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as block scalars."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def path(folder: Path, values: Mapping[str, Any]) -> Path:
    """The file of an object: ``1-manifest/apps_v1-deployment-observability-otel-gateway.yaml``."""
    is_definition = values["kind"] == "CustomResourceDefinition"
    version = values["apiVersion"].replace("/", "_").replace(":", "_")
    namespace = namespace_of(values) or "default"
    name = f"{version}-{values['kind'].lower()}-{namespace}-{name_of(values)}.yaml"
    return folder / (_DEFINITIONS if is_definition else _MANIFESTS) / name


def write(folder: Path, values: Mapping[str, Any]) -> None:
    """Write an object's file; both folders are made.

    Raises:
        ProviderError: the file cannot be written.
    """
    file = path(folder, values)
    text = yaml.dump(dict(values), Dumper=_Dumper, allow_unicode=True, sort_keys=True, width=2**16)
    try:
        for name in (_DEFINITIONS, _MANIFESTS):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text)
    except OSError as error:
        raise ProviderError(f"{file} cannot be written: {error.strerror}.") from error


def remove(folder: Path, values: Mapping[str, Any]) -> None:
    """Remove an object's file; no error when it is already gone."""
    path(folder, values).unlink(missing_ok=True)
