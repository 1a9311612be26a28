"""Argo CD in the cluster, for as long as a drill needs it."""

from __future__ import annotations

import json
import secrets
from string import Template
from typing import Any

import yaml

from tests.lab import argocd
from tests.lab.cluster import kubectl, operators
from tests.lab.errors import LabError
from tests.lab.progress import step

NAMESPACE = "argocd"
_RUN = {
    "application-controller": f"statefulset/{argocd.CONTROLLER}",
    "repo-server": f"deployment/{argocd.REPOSITORIES}",
    "redis": "deployment/argocd-redis",
}
"""Part that runs, as its objects name it -> what runs it."""
_PROJECTS = "appprojects.argoproj.io"
"""The type without which it does not start; that of Applications is in the cluster already."""
_TYPES = "CustomResourceDefinition"
_OF_NO_NAMESPACE = {_TYPES, "ClusterRole", "ClusterRoleBinding"}
_SECONDS = 240


def up(known_hosts: str) -> None:
    """Start Argo CD, which knows these SSH servers too, and wait until its parts are ready.

    Raises:
        LabError: when it has not been built, or does not start in time.
    """
    if not argocd.has_files():
        raise LabError("Argo CD's files are not there. Run: python -m tests.lab operators")
    operators.bring_in(argocd.IMAGES)
    with step(f"Argo CD {argocd.VERSION}"):
        kubectl.apply(_beside())
        kubectl.apply(_manifest(known_hosts))
        for name in _RUN.values():
            kubectl.run("-n", NAMESPACE, "rollout", "status", name, f"--timeout={_SECONDS}s")


def down() -> None:
    """Remove it with all it has made; objects that only it can finalize must be gone before."""
    operators.remove(_manifest(""))
    operators.remove(_beside())


def _beside() -> str:
    password = json.dumps(secrets.token_urlsafe())
    return Template(argocd.OBJECTS.read_text()).substitute(namespace=NAMESPACE, password=password)


def _manifest(known_hosts: str) -> str:
    """What its own manifests have for the parts that run, with images that no registry is asked for."""
    objects = [one for one in yaml.safe_load_all(argocd.manifest().read_text()) if _is_wanted(one)]
    for one in objects:
        if one["kind"] not in _OF_NO_NAMESPACE:
            one["metadata"]["namespace"] = NAMESPACE
        if one["metadata"]["name"] == "argocd-ssh-known-hosts-cm":
            one["data"]["ssh_known_hosts"] += known_hosts
        if one["kind"] in {"Deployment", "StatefulSet"}:
            _adapt(one["spec"]["template"]["spec"])
    return yaml.safe_dump_all(objects)


def _is_wanted(one: dict[str, Any]) -> bool:
    part = one["metadata"].get("labels", {}).get("app.kubernetes.io/component")
    if one["kind"] == _TYPES:
        return bool(one["metadata"]["name"] == _PROJECTS)
    return part is None or part in _RUN


def _adapt(pod: dict[str, Any]) -> None:
    for container in pod["containers"]:
        container["imagePullPolicy"] = "IfNotPresent"
    first = [one for one in pod.get("initContainers", []) if one["name"] != "secret-init"]
    pod["initContainers"] = first
