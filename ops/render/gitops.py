"""What tells Argo CD and Flux to apply rendered manifests from Git."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from components.platform.manifests.scope import MANIFESTS, STACK, Manifest
from components.sections.kubernetes import GitOpsSection
from ops.errors import OpsError
from ops.project import Stack

ARGO_CD, FLUX = "argo-cd-application.yaml", "flux-kustomization.yaml"
_OTHERS = re.compile("[^a-z0-9]+")
"""What the name of a stack may have, but not that of an object."""


def gitops_files(stack: Stack, folder: Path) -> Mapping[str, str]:
    """Give the content of the files by name; none when the settings name no repository.

    Args:
        stack: whose manifests they are.
        folder: where the manifests are written.

    Raises:
        OpsError: the folder's place in the repository is not known.
    """
    namespace, gitops = stack.settings.kubernetes.namespace, stack.settings.kubernetes.gitops
    if gitops.repository is None:
        return {}
    path = f"{gitops.path or _path_in_checkout(stack, folder)}/{MANIFESTS}"
    name = f"{STACK}-{_OTHERS.sub('-', stack.name.lower()).strip('-')}"
    return {
        ARGO_CD: _text(_argo_cd(namespace, gitops, path, name)),
        FLUX: _text(*_flux(namespace, gitops, path, name)),
    }


def _argo_cd(namespace: str, gitops: GitOpsSection, path: str, name: str) -> Manifest:
    spec = _application_spec(namespace, gitops, path)
    return _object("argoproj.io/v1alpha1", "Application", name, "argocd", spec)


def _flux(namespace: str, gitops: GitOpsSection, path: str, name: str) -> list[Manifest]:
    source, applied = _git_repository_spec(gitops), _kustomization_spec(namespace, gitops, path, name)
    return [
        _object("source.toolkit.fluxcd.io/v1", "GitRepository", name, "flux-system", source),
        _object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, "flux-system", applied),
    ]


def _object(api_version: str, kind: str, name: str, namespace: str, spec: Manifest) -> Manifest:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _text(*objects: Mapping[str, Any]) -> str:
    return yaml.safe_dump_all(objects, sort_keys=False)


def _path_in_checkout(stack: Stack, folder: Path) -> PurePosixPath:
    resolved, root = folder.resolve(), stack.root.resolve()
    if not resolved.is_relative_to(root):
        raise OpsError(
            f"kubernetes.gitops.path: {folder} is outside this checkout, so its place in the "
            "repository is not known",
            f"set kubernetes.gitops.path in {stack.file.name} to the folder of the repository",
            status=2,
        )
    return PurePosixPath(resolved.relative_to(root).as_posix())


def _application_spec(namespace: str, gitops: GitOpsSection, path: str) -> Manifest:
    """Return the spec of an Argo CD Application over the rendered manifests.

    Argo CD waits until all that it has just applied is healthy before it prunes, and takes no other commit
    meanwhile. So that nothing else stops it, such as a load balancer without an address, it applies only what
    differs.
    """
    return {
        "project": gitops.argo_project,
        "source": {
            "repoURL": gitops.repository,
            "targetRevision": gitops.revision,
            "path": path,
            "directory": {"recurse": True},
        },
        "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": [
                "ServerSideApply=true",
                "CreateNamespace=false",
                "PruneLast=true",
                "ApplyOutOfSyncOnly=true",
            ],
        },
    }


def _git_repository_spec(gitops: GitOpsSection) -> Manifest:
    """Return the spec of Flux's GitRepository."""
    spec: Manifest = {
        "interval": gitops.interval,
        "url": _as_url(gitops.repository or ""),
        "ref": {"branch": gitops.revision},
    }
    if gitops.secret is not None:
        spec["secretRef"] = {"name": gitops.secret}
    return spec


def _as_url(repository: str) -> str:
    """Write ``git@host:org/repo.git`` as the URL that it stands for, the only form that Flux accepts."""
    if "://" in repository:
        return repository
    host, _, path = repository.partition(":")
    return f"ssh://{host}/{path.lstrip('/')}"


def _kustomization_spec(namespace: str, gitops: GitOpsSection, path: str, source: str) -> Manifest:
    """Return the spec of Flux's Kustomization over the rendered manifests."""
    return {
        "interval": gitops.interval,
        "path": f"./{path}",
        "prune": True,
        "wait": True,
        "timeout": "15m",
        "targetNamespace": namespace,
        "sourceRef": {"kind": "GitRepository", "name": source},
    }
