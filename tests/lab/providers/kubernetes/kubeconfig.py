"""From a kubeconfig, by path or by contents, to a client; nothing is contacted."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kubernetes import config as kubeconfig

from tests.lab.providers.errors import ProviderError
from tests.lab.providers.kubernetes.settings import Settings

_CONNECTIONS = 64
"""Kept open at a time: as many as the stand-in has operations in progress."""


def connect(settings: Settings) -> client.ApiClient:
    """A client for the cluster that the settings name.

    Raises:
        ProviderError: there is no kubeconfig, it cannot be read, or it has no such context or cluster.
    """
    path = _path(settings)
    try:
        content = _content(path.read_text() if path else settings.kubeconfig)
        api = client.ApiClient(_configuration(settings, content, path))
    except (OSError, ValueError, yaml.YAMLError, kubeconfig.ConfigException) as error:
        place = str(path) if path else "given by contents"
        raise ProviderError(
            f"the kubeconfig ({place}) cannot be used: {error}. Check the provider's kubeconfig and context."
        ) from error
    return api


def active_cluster(settings: Settings) -> object:
    """The entry of the cluster that the settings lead to, None when that is not known."""
    path = _path(settings)
    try:
        content = _content(path.read_text() if path else settings.kubeconfig)
        name = settings.cluster or _context(settings, content)["cluster"]
        return _named(content, "clusters", name)["cluster"]
    except (OSError, ValueError, KeyError, yaml.YAMLError):
        return None


def _path(settings: Settings) -> Path | None:
    """The file's path, None when the settings have its contents."""
    given = settings.kubeconfig
    if not given:
        return Path("~/.kube/config").expanduser()
    return None if "\n" in given or given.lstrip().startswith("{") else Path(given).expanduser()


def _content(text: str) -> dict[str, Any]:
    content = yaml.safe_load(text)
    if not isinstance(content, dict):
        raise ValueError("it is not a mapping")  # noqa: TRY004 (reported like other bad values)
    return content


def _configuration(settings: Settings, content: dict[str, Any], path: Path | None) -> client.Configuration:
    configuration = client.Configuration()
    configuration.connection_pool_maxsize = _CONNECTIONS
    configuration.retries = False
    chosen = settings.context or content.get("current-context")
    if settings.cluster:
        _context(settings, content)["cluster"] = settings.cluster
        path = None
    if path:
        load: Any = functools.partial(kubeconfig.load_kube_config, str(path))
    else:
        load = functools.partial(kubeconfig.load_kube_config_from_dict, content)
    load(context=chosen, client_configuration=configuration)
    return configuration


def _context(settings: Settings, content: dict[str, Any]) -> dict[str, Any]:
    context: dict[str, Any] = _named(content, "contexts", settings.context or content.get("current-context"))
    return context["context"]  # type: ignore[no-any-return]


def _named(content: dict[str, Any], section: str, name: str | None) -> dict[str, Any]:
    entries: list[dict[str, Any]] = content.get(section) or []
    for entry in entries:
        if entry.get("name") == name:
            return entry
    known = ", ".join(sorted(str(entry.get("name")) for entry in entries)) or "none"
    raise ValueError(f"it has no {name!r} under {section} (it has {known})")
