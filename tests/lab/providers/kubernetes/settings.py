"""The provider's settings, with the environment variables that stand in for missing ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.providers.errors import ProviderError

_ENVIRONMENT = {
    "kubeconfig": "KUBECONFIG",
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
}
"""The official plugin's; a setting of the program takes precedence over its variable."""

_NOT_MODELLED = ("alwaysRender", "helmReleaseSettings")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the provider was told.

    ``kubeconfig`` is a path or the file's contents, empty for the usual places. ``render`` is the folder that
    gets YAML files instead of a cluster getting objects.
    """

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    render: Path | None = None
    patch_force: bool = False
    config_maps_mutable: bool = False
    secrets_mutable: bool = False
    skip_update_unreachable: bool = False
    delete_unreachable: bool = False
    upsert: bool = False


def read(config: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """The settings of checked configuration.

    Raises:
        ProviderError: a setting that the stand-in does not model.
    """
    defaults = {
        name: environment[variable] for name, variable in _ENVIRONMENT.items() if environment.get(variable)
    }
    given = {**defaults, **config}
    other = [name for name in _NOT_MODELLED if given.get(name)]
    if not _is_true(given.get("enableServerSideApply", True)):
        other.append("enableServerSideApply=false")
    if other:
        raise ProviderError(
            f"the lab's stand-in for the kubernetes plugin does not model the provider settings "
            f"{', '.join(other)}; leave them out, or use the official plugin."
        )
    render = given.get("renderYamlToDirectory")
    return Settings(
        kubeconfig=given.get("kubeconfig", ""),
        context=given.get("context", ""),
        cluster=given.get("cluster", ""),
        namespace=given.get("namespace", ""),
        render=Path(render) if render else None,
        patch_force=_is_true(given.get("enablePatchForce")),
        config_maps_mutable=_is_true(given.get("enableConfigMapMutable")),
        secrets_mutable=_is_true(given.get("enableSecretMutable")),
        skip_update_unreachable=_is_true(given.get("skipUpdateUnreachable")),
        delete_unreachable=_is_true(given.get("deleteUnreachable")),
        upsert=_is_true(given.get("upsertExistingObjects")),
    )


def _is_true(value: object) -> bool:
    return value is True or value == "true"
